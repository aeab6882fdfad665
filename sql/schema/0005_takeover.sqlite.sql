-- What mail alone does to an account (domain/takeover.h, domain/claim.h). Times are milliseconds since 1970, UTC; 0 = never.

ALTER TABLE user ADD COLUMN mailbox_only INTEGER NOT NULL DEFAULT 0;     -- address proven by a click on a strange device
ALTER TABLE user ADD COLUMN password_by_mail INTEGER NOT NULL DEFAULT 0; -- set with a mailed link, the last time
ALTER TABLE user ADD COLUMN claim_ms INTEGER NOT NULL DEFAULT 0;         -- a mailed link opens the account from then on
