-- Digest: a column bears the field's word (GLOSSARY.md). Programs of before cannot work with it: they end before `loa migrate`.
-- The slots of runs that were started by hand (`tay-…`, since then `manual-…`) stay as they are: Message-IDs are made of them.

ALTER TABLE mail RENAME COLUMN orphaned TO in_doubt;
ALTER TABLE mail RENAME CONSTRAINT mail_orphaned_check TO mail_in_doubt_check;
