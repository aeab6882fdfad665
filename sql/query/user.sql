-- Accounts. Look-ups by address use the canonical key only, and never find a guest: its key is no address.

-- name: user_insert
-- in: uid blob, email text, email_key text, password_hash text, first_name text, last_name text, is_admin bool, email_verified bool, now_ms int, lang text, verify_by_ms int
-- out: int
-- ERR_CONFLICT when the address is taken. Returns the row id.
INSERT INTO user (uid, email, email_key, password_hash, first_name, last_name, is_admin, email_verified, created_ms,
                  lang, verify_by_ms)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
RETURNING id;

-- name: user_by_id
-- in: id int
-- out: one user_row
SELECT id, uid, email, first_name, last_name, role, login_provider,
       password_hash IS NOT NULL AS has_password, is_admin, email_verified, disabled_ms, device_epoch,
       created_ms, last_login_ms, phone, lang, verify_by_ms,
       totp IS NOT NULL AS has_totp, require_2fa, is_guest, factor_reset_ms,
       mailbox_only, password_by_mail, claim_ms
FROM user WHERE id = $1;

-- name: user_by_uid
-- in: uid blob
-- out: one user_row
SELECT id, uid, email, first_name, last_name, role, login_provider,
       password_hash IS NOT NULL AS has_password, is_admin, email_verified, disabled_ms, device_epoch,
       created_ms, last_login_ms, phone, lang, verify_by_ms,
       totp IS NOT NULL AS has_totp, require_2fa, is_guest, factor_reset_ms,
       mailbox_only, password_by_mail, claim_ms
FROM user WHERE uid = $1;

-- name: user_by_email
-- in: email_key text
-- out: one user_row
SELECT id, uid, email, first_name, last_name, role, login_provider,
       password_hash IS NOT NULL AS has_password, is_admin, email_verified, disabled_ms, device_epoch,
       created_ms, last_login_ms, phone, lang, verify_by_ms,
       totp IS NOT NULL AS has_totp, require_2fa, is_guest, factor_reset_ms,
       mailbox_only, password_by_mail, claim_ms
FROM user WHERE email_key = $1 AND is_guest = 0;

-- name: user_page
-- in: after_id int, limit_n int
-- out: many user_row
SELECT id, uid, email, first_name, last_name, role, login_provider,
       password_hash IS NOT NULL AS has_password, is_admin, email_verified, disabled_ms, device_epoch,
       created_ms, last_login_ms, phone, lang, verify_by_ms,
       totp IS NOT NULL AS has_totp, require_2fa, is_guest, factor_reset_ms,
       mailbox_only, password_by_mail, claim_ms
FROM user WHERE id > $1 ORDER BY id LIMIT $2;

-- name: user_search
-- in: after_id int, limit_n int, words text
-- out: many user_row
-- For operators: reads all accounts up to the last that is found. words: in lower case.
SELECT id, uid, email, first_name, last_name, role, login_provider,
       password_hash IS NOT NULL AS has_password, is_admin, email_verified, disabled_ms, device_epoch,
       created_ms, last_login_ms, phone, lang, verify_by_ms,
       totp IS NOT NULL AS has_totp, require_2fa, is_guest, factor_reset_ms,
       mailbox_only, password_by_mail, claim_ms
FROM user WHERE id > $1 AND (
	instr(lower(email), $3) > 0 OR instr(email_key, $3) > 0 OR
	instr(lower(coalesce(first_name, '') || ' ' || coalesce(last_name, '')), $3) > 0)
ORDER BY id LIMIT $2;

-- name: user_for_login
-- in: email_key text
-- out: one login_row
SELECT id, uid, password_hash, disabled_ms, device_epoch, email_verified, verify_by_ms FROM user
WHERE email_key = $1 AND is_guest = 0;

-- name: user_hash
-- in: id int
-- out: one login_row
SELECT id, uid, password_hash, disabled_ms, device_epoch, email_verified, verify_by_ms FROM user WHERE id = $1;

-- name: user_signed_in
-- in: id int, now_ms int
-- out: none
UPDATE user SET last_login_ms = $2 WHERE id = $1;

-- name: user_rehash
-- in: id int, old_hash text, new_hash text
-- out: changed
-- Only while the hash is still the one that was verified: a password change in between wins.
UPDATE user SET password_hash = $3 WHERE id = $1 AND password_hash = $2;

-- name: user_set_password
-- in: id int, password_hash text, by_mail bool
-- out: changed
UPDATE user SET password_hash = $2, password_by_mail = $3, device_epoch = device_epoch + 1 WHERE id = $1;

-- name: user_change_password
-- in: id int, old_hash text, password_hash text
-- out: changed
-- Only while the hash is the one that was verified (or none, still).
UPDATE user SET password_hash = $3, password_by_mail = 0, device_epoch = device_epoch + 1
WHERE id = $1 AND password_hash IS $2;

-- name: user_clear_password
-- in: id int
-- out: changed
-- Nobody signs in with a password until a reset: the one there may be known to somebody else.
UPDATE user SET password_hash = NULL, password_by_mail = 0, device_epoch = device_epoch + 1 WHERE id = $1;

-- name: user_set_email
-- in: id int, email text, email_key text, mailbox_only bool
-- out: changed
-- A proven address; a guest is none from then on. ERR_CONFLICT when another account has it.
UPDATE user SET email = $2, email_key = $3, email_verified = 1, mailbox_only = $4, claim_ms = 0, is_guest = 0
WHERE id = $1;

-- name: user_set_verified
-- in: id int, email text, mailbox_only bool
-- out: changed
-- What was proven in full stays so.
UPDATE user SET mailbox_only = $3 AND (email_verified = 0 OR mailbox_only = 1), email_verified = 1, claim_ms = 0
WHERE id = $1 AND email = $2;

-- name: user_set_unproven
-- in: id int
-- out: changed
UPDATE user SET email_verified = 0, mailbox_only = 0 WHERE id = $1;

-- name: user_claim
-- in: id int, claim_ms int
-- out: changed
UPDATE user SET claim_ms = $2 WHERE id = $1;

-- name: user_claim_end
-- in: id int
-- out: changed
UPDATE user SET claim_ms = 0 WHERE id = $1 AND claim_ms > 0;

-- name: user_set_phone
-- in: id int, phone text
-- out: changed
UPDATE user SET phone = $2 WHERE id = $1;

-- name: user_set_lang
-- in: id int, lang text
-- out: changed
UPDATE user SET lang = $2 WHERE id = $1;

-- name: user_set_disabled
-- in: id int, disabled_ms int
-- out: changed
UPDATE user SET disabled_ms = $2 WHERE id = $1;

-- name: user_set_admin
-- in: id int, is_admin bool
-- out: changed
-- No row when it is so already, or a guest.
UPDATE user SET is_admin = $2 WHERE id = $1 AND is_admin <> $2 AND is_guest = 0;

-- name: user_set_profile
-- in: id int, set_first bool, first_name text, set_last bool, last_name text
-- out: changed
UPDATE user SET
	first_name = CASE WHEN $2 THEN $3 ELSE first_name END,
	last_name = CASE WHEN $4 THEN $5 ELSE last_name END
WHERE id = $1;

-- name: user_delete
-- in: id int
-- out: changed
DELETE FROM user WHERE id = $1;

-- name: user_any
-- in:
-- out: int
-- One row if there is any account at all.
SELECT id FROM user WHERE id > 0 LIMIT 1;

-- name: guest_insert
-- in: uid blob, email_key text, now_ms int
-- out: int
INSERT INTO user (uid, email, email_key, is_guest, created_ms, seen_ms) VALUES ($1, '', $2, 1, $3, $3) RETURNING id;

-- name: guest_become
-- in: id int, email text, email_key text, password_hash text, first_name text, last_name text, lang text, verify_by_ms int
-- out: changed
-- Its id, and so its public one, stays. ERR_CONFLICT when the address is taken; no row when it is a guest no more.
UPDATE user SET email = $2, email_key = $3, password_hash = $4, first_name = coalesce($5, first_name),
       last_name = coalesce($6, last_name), lang = coalesce($7, lang), verify_by_ms = $8, is_guest = 0
WHERE id = $1 AND is_guest = 1;

-- name: guest_prepare
-- in: id int, password_hash text, first_name text, last_name text, lang text
-- out: changed
-- All but the address, which waits to be proven.
UPDATE user SET password_hash = $2, first_name = coalesce($3, first_name), last_name = coalesce($4, last_name),
       lang = coalesce($5, lang)
WHERE id = $1 AND is_guest = 1;

-- name: guest_note_used
-- in: before_ms int, limit_n int
-- out: changed
-- Of those that were last known to be in use long ago: were they since?
UPDATE user SET seen_ms = (SELECT max(max(last_active_ms, rotated_ms)) FROM session WHERE user_id = user.id)
WHERE id IN (SELECT id FROM user WHERE is_guest = 1 AND seen_ms < $1 ORDER BY seen_ms LIMIT $2)
  AND EXISTS (SELECT 1 FROM session WHERE user_id = user.id AND max(last_active_ms, rotated_ms) >= $1);

-- name: guest_sweep
-- in: before_ms int, limit_n int
-- out: changed
-- The rest of them.
DELETE FROM user
WHERE id IN (SELECT id FROM user WHERE is_guest = 1 AND seen_ms < $1 ORDER BY seen_ms LIMIT $2)
  AND NOT EXISTS (SELECT 1 FROM session WHERE user_id = user.id AND max(last_active_ms, rotated_ms) >= $1);
