-- Digest: articles dated in the future. `shown_from`: from when on one may go out; NULL when its time had come when it was
-- accepted, or has come since. Until then `upcoming` is what it says, and `content` what was shown of it before (what it
-- says, if nothing was). Programs that do not know the columns leave them as they are.

ALTER TABLE item ADD COLUMN shown_from INTEGER;
ALTER TABLE item ADD COLUMN upcoming TEXT;
CREATE INDEX item_upcoming ON item (shown_from) WHERE shown_from IS NOT NULL;
