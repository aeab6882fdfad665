-- One-time tokens and codes (domain/onetime.h). The hash is an HMAC: rows yield no secret.

-- name: onetime_insert
-- in: hash blob, purpose int, user_id int, address text, sid blob, now_ms int, expires_ms int, reserves text
-- out: none
INSERT INTO onetime (hash, purpose, user_id, address, sid, created_ms, expires_ms, reserves)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8);

-- name: onetime_reserved
-- in: reserves text, now_ms int, but_user_id int
-- out: int
-- Somebody's, who may still want the address back.
SELECT user_id FROM onetime WHERE reserves = $1 AND expires_ms > $2 AND user_id <> $3 LIMIT 1;

-- name: onetime_find
-- in: hash blob, purpose int
-- out: one onetime_row
SELECT purpose, user_id, address, sid, tries, guess, created_ms, expires_ms FROM onetime WHERE hash = $1 AND purpose = $2;

-- name: onetime_take
-- in: hash blob, purpose int, now_ms int
-- out: one onetime_row
-- The deletion decides who of several consumes it.
DELETE FROM onetime WHERE hash = $1 AND purpose = $2 AND expires_ms > $3
RETURNING purpose, user_id, address, sid, tries, guess, created_ms, expires_ms;

-- name: onetime_end
-- in: hash blob, purpose int, now_ms int
-- out: changed
-- The same for what is known already: nothing is to be read back.
DELETE FROM onetime WHERE hash = $1 AND purpose = $2 AND expires_ms > $3;

-- name: onetime_try
-- in: user_id int, purpose int, max int, now_ms int, guess int, repeat_after_ms int
-- out: one onetime_row
-- Counts a try at the owner's code before anybody looks at it; the one identical repeat of a wrong try is free.
UPDATE onetime SET tries = tries + (guess <> $5 OR guess_ms <= $6),
       guess = CASE WHEN guess = $5 AND guess_ms > $6 THEN 0 ELSE $5 END, guess_ms = $4
WHERE user_id = $1 AND purpose = $2 AND expires_ms > $4 AND (tries < $3 OR (guess = $5 AND guess_ms > $6))
RETURNING purpose, user_id, address, sid, tries, guess, created_ms, expires_ms;

-- name: onetime_try_token
-- in: hash blob, purpose int, max int, now_ms int, guess int, repeat_after_ms int
-- out: one onetime_row
-- The same for what is found by its token.
UPDATE onetime SET tries = tries + (guess <> $5 OR guess_ms <= $6),
       guess = CASE WHEN guess = $5 AND guess_ms > $6 THEN 0 ELSE $5 END, guess_ms = $4
WHERE hash = $1 AND purpose = $2 AND expires_ms > $4 AND (tries < $3 OR (guess = $5 AND guess_ms > $6))
RETURNING purpose, user_id, address, sid, tries, guess, created_ms, expires_ms;

-- name: onetime_void_bound
-- in: user_id int, sid blob
-- out: none
-- What is bound to one handle, and the other way round.
DELETE FROM onetime WHERE user_id = $1 AND sid = $2;

-- name: onetime_of_user
-- in: user_id int
-- out: many onetime_row
SELECT purpose, user_id, address, sid, tries, guess, created_ms, expires_ms FROM onetime WHERE user_id = $1
ORDER BY purpose, created_ms;

-- name: onetime_void
-- in: user_id int, purpose int
-- out: none
DELETE FROM onetime WHERE user_id = $1 AND purpose = $2;

-- name: onetime_keep_newest
-- in: user_id int, purpose int, keep int
-- out: none
DELETE FROM onetime WHERE user_id = $1 AND purpose = $2 AND hash NOT IN
  (SELECT hash FROM onetime WHERE user_id = $1 AND purpose = $2 ORDER BY expires_ms DESC LIMIT $3);

-- name: onetime_void_but
-- in: user_id int, purpose int, other_purpose int
-- out: none
-- All of the user's but those of two purposes.
DELETE FROM onetime WHERE user_id = $1 AND purpose <> $2 AND purpose <> $3;

-- name: onetime_sweep
-- in: before_ms int, limit_n int
-- out: changed
DELETE FROM onetime WHERE hash IN (SELECT hash FROM onetime WHERE expires_ms < $1 ORDER BY expires_ms LIMIT $2);
