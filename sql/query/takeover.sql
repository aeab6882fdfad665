-- What somebody else may have put into an account that he made with an address that is not his (domain/takeover.h).

-- name: takeover_factors
-- in: id int
-- out: none
UPDATE user SET totp = NULL, totp_step = 0, totp_pending = NULL, totp_pending_ms = 0, phone = NULL,
                password_hash = NULL, device_epoch = device_epoch + 1
WHERE id = $1;

-- name: takeover_recovery
-- in: user_id int
-- out: none
DELETE FROM recovery WHERE user_id = $1;

-- name: takeover_links
-- in: user_id int
-- out: none
DELETE FROM linked_account WHERE user_id = $1;
