-- Sessions. id is the first 63 bits of sid; every statement names both, or the owner.

-- name: session_insert
-- in: id int, sid blob, user_id int, cur_nonce blob, agent_family text, auth_ms int, amr text, now_ms int, idle_expires_ms int, abs_expires_ms int, sweep_day int, user_agent text, ip text, web int
-- out: none
-- A mailed code or link is no proof for changing factors: a mailbox alone would then do for everything.
INSERT INTO session (id, sid, user_id, cur_gen, cur_nonce, rotated_ms, agent_family, auth_ms, amr, created_ms,
                     idle_expires_ms, abs_expires_ms, sweep_day, last_active_ms, user_agent, ip, web, factor_ms)
VALUES ($1, $2, $3, 1, $4, $8, $5, $6, $7, $8, $9, $10, $11, $8, $12, $13, $14,
        CASE WHEN $7 LIKE '% mfa' AND $7 NOT LIKE '% email mfa' THEN $6 ELSE 0 END);

-- name: session_caller
-- in: id int, sid blob
-- out: one caller_row
SELECT s.cur_gen, s.confirmed, s.last_active_ms, s.idle_expires_ms, s.abs_expires_ms, s.web,
       u.id, u.uid, u.email, u.first_name, u.last_name, u.role, u.login_provider,
       u.password_hash IS NOT NULL AS has_password, u.is_admin, u.email_verified, u.disabled_ms, u.last_login_ms, u.phone,
       u.totp IS NOT NULL AS has_totp, u.is_guest, u.claim_ms
FROM session s JOIN user u ON u.id = s.user_id
WHERE s.id = $1 AND s.sid = $2;

-- name: session_for_refresh
-- in: id int, sid blob
-- out: one rotation_row
SELECT user_id, cur_gen, cur_nonce, parent_gen, rotated_ms, confirmed, replays, older_gen, older_ms,
       agent_family, auth_ms, amr, idle_expires_ms, abs_expires_ms, sweep_day, web
FROM session WHERE id = $1 AND sid = $2;

-- name: session_rotate
-- in: id int, sid blob, old_gen int, cur_gen int, cur_nonce blob, parent_gen int, older_gen int, older_ms int, now_ms int, agent_family text, idle_expires_ms int
-- out: changed
UPDATE session SET cur_gen = $4, cur_nonce = $5, parent_gen = $6, older_gen = $7, older_ms = $8, rotated_ms = $9,
       confirmed = 0, replays = 0, agent_family = $10, idle_expires_ms = $11
WHERE id = $1 AND sid = $2 AND cur_gen = $3;

-- name: session_replayed
-- in: id int, sid blob
-- out: none
UPDATE session SET replays = replays + 1 WHERE id = $1 AND sid = $2;

-- name: session_sweep_on
-- in: id int, sid blob, sweep_day int
-- out: none
-- Kept out of session_rotate so that most rotations leave the index alone.
UPDATE session SET sweep_day = $3 WHERE id = $1 AND sid = $2;

-- name: session_confirm
-- in: id int, sid blob, gen int
-- out: none
UPDATE session SET confirmed = 1 WHERE id = $1 AND sid = $2 AND cur_gen = $3;

-- name: session_touch
-- in: id int, sid blob, now_ms int
-- out: none
UPDATE session SET last_active_ms = max(last_active_ms, $3) WHERE id = $1 AND sid = $2;

-- name: session_list
-- in: user_id int, now_ms int
-- out: many session_row
SELECT sid, created_ms, idle_expires_ms, abs_expires_ms, last_active_ms, user_agent, ip
FROM session WHERE user_id = $1 AND idle_expires_ms > $2 AND abs_expires_ms > $2
ORDER BY last_active_ms DESC LIMIT 100;

-- name: session_delete
-- in: id int, sid blob
-- out: changed
DELETE FROM session WHERE id = $1 AND sid = $2;

-- name: session_delete_own
-- in: id int, sid blob, user_id int
-- out: changed
DELETE FROM session WHERE id = $1 AND sid = $2 AND user_id = $3;

-- name: session_delete_all
-- in: user_id int
-- out: changed
DELETE FROM session WHERE user_id = $1;

-- name: session_delete_others
-- in: user_id int, id int, sid blob
-- out: changed
DELETE FROM session WHERE user_id = $1 AND NOT (id = $2 AND sid = $3);

-- name: session_auth
-- in: id int, sid blob, user_id int
-- out: int
-- When the session's owner last proved who he is.
SELECT auth_ms FROM session WHERE id = $1 AND sid = $2 AND user_id = $3;

-- name: session_reauth
-- in: id int, sid blob, user_id int, now_ms int
-- out: changed
UPDATE session SET auth_ms = max(auth_ms, $4) WHERE id = $1 AND sid = $2 AND user_id = $3;

-- name: session_factor
-- in: id int, sid blob, user_id int
-- out: int
SELECT factor_ms FROM session WHERE id = $1 AND sid = $2 AND user_id = $3;

-- name: session_factor_proven
-- in: id int, sid blob, user_id int, now_ms int
-- out: changed
UPDATE session SET auth_ms = max(auth_ms, $4), factor_ms = max(factor_ms, $4)
WHERE id = $1 AND sid = $2 AND user_id = $3;

-- name: session_beyond
-- in: user_id int, keep int
-- out: int
-- One row if there are more than `keep`: asked first, as it costs a tenth of a deletion that deletes nothing.
SELECT id FROM session WHERE user_id = $1 ORDER BY last_active_ms DESC LIMIT 1 OFFSET $2;

-- name: session_trim
-- in: user_id int, keep int
-- out: changed
-- Ends the sessions that were idle longest, beyond the newest `keep`.
DELETE FROM session WHERE user_id = $1 AND id IN (
	SELECT id FROM session WHERE user_id = $1 ORDER BY last_active_ms DESC LIMIT 1000 OFFSET $2);

-- name: session_sweep
-- in: day int, now_ms int, limit_n int
-- out: changed
-- Days before today hold only expired sessions; today's are looked at one by one.
DELETE FROM session WHERE id IN (
	SELECT id FROM session WHERE sweep_day <= $1 AND (idle_expires_ms <= $2 OR abs_expires_ms <= $2)
	ORDER BY sweep_day LIMIT $3);
