//! The two mails that answer the subscribe form: "please confirm" and "you are subscribed already".
//!
//! They go to an address that anybody may have typed. So they say who asked, and that nothing
//! happens if they are ignored. They carry nothing that a stranger wrote.

use crate::{ComposeError, Letterhead, Message, Recipient, Token, WishWords, compose::Draft, token::sha256_hex, words};
use jiff::Timestamp;
use loa_domain::Frequency;
use loa_words::Language;
use minijinja::context;

/// Which of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// The mailbox's owner is to confirm (double opt-in).
    Confirm,
    /// The subscription is active already: here is how to change it.
    AlreadyActive,
}

/// An answer to the subscription form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Confirmation {
    /// Which of the two.
    pub purpose: Purpose,
    /// How often.
    pub frequency: Frequency,
    /// What, in words of our own directory and catalogue.
    pub wish: WishWords,
    /// What stands in the links that confirm and change: mailed to this mailbox alone, and good for days. The recipient's
    /// token, which stands in every digest and may be forwarded, ends a subscription and does nothing else.
    pub key: Token,
    /// How many days that is.
    pub days: u32,
}

impl Letterhead {
    /// Composes the answer. Each is a mail of its own: `at` is part of its `Message-ID`.
    ///
    /// # Errors
    /// As [`Letterhead::compose`].
    pub fn confirmation(
        &self,
        confirmation: &Confirmation,
        recipient: &Recipient,
        at: Timestamp,
    ) -> Result<Message, ComposeError> {
        let confirms = confirmation.purpose == Purpose::Confirm;
        let list = &self.settings.list_name;
        let subject = words::confirmation_subject(list, confirms);
        let page = context! {
            subject => &subject,
            list_name => list,
            confirms => confirms,
            frequency => Language::Vietnamese.words().frequency(confirmation.frequency),
            areas => confirmation.wish.areas_line(),
            categories => confirmation.wish.categories_line(),
            confirm_url => self.link_of("confirm", &confirmation.key),
            manage_url => self.link_of("manage", &confirmation.key),
            days => confirmation.days,
            unsubscribe_url => self.link_of("u", &recipient.token),
            site_url => self.link(""),
        };
        let seed = format!("{}\n{at}", confirmation.key.as_str());
        let draft = Draft {
            message_id: self.id_of(&format!("confirm.{}", &sha256_hex(seed.as_bytes())[..32])),
            run: 0,
            subject: &subject,
            text: self.templates.get_template("confirm.txt")?.render(&page)?,
            html: self.templates.get_template("confirm.html")?.render(&page)?,
            // one person asked for it: neither of a list nor bulk
            headers: Vec::new(),
        };
        self.finish(draft, recipient, at)
    }
}
