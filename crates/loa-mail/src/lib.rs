//! A digest into one RFC 5322 message; confirmation mails; tokens.
