-- Digest: what a stranger who fills in the form may leave behind. A key is mailed to its mailbox alone and works for days: it
-- confirms, re-activates and changes a subscription, which the token in every digest does not. What was not confirmed, and
-- what was counted of confirmation mails, is cleaned up by its age. Items are matched with wishes that somebody active has.

CREATE TABLE subscription_key (
    key_hash     TEXT COLLATE "C" PRIMARY KEY,
    subscription TEXT COLLATE "C" NOT NULL REFERENCES subscription (id) ON DELETE CASCADE,
    until        BIGINT NOT NULL
);
CREATE INDEX subscription_key_subscription ON subscription_key (subscription);
CREATE INDEX subscription_key_until ON subscription_key (until);

CREATE INDEX subscription_wish_state ON subscription (wish, state);
DROP INDEX subscription_wish; -- the one above begins with it
CREATE INDEX subscription_pending ON subscription (since) WHERE state = 'pending';
CREATE INDEX confirmation_sent ON confirmation (sent_at);
