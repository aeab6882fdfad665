-- Messages on their way out (domain/outbox.h). A message under way has been tried and has no problem
-- yet: by that a lease is told from a pause between two attempts.

-- name: outbox_insert
-- in: uid blob, channel int, user_id int, recipient text, template text, lang text, sealed blob, now_ms int, expires_ms int
-- out: none
-- user_id 0: nobody's.
INSERT INTO outbox (uid, channel, user_id, recipient, template, lang, sealed, created_ms, expires_ms, next_ms)
VALUES ($1, $2, nullif($3, 0), $4, $5, $6, $7, $8, $9, $8);

-- name: outbox_due
-- in: channel int
-- out: one outbox_row
-- The one whose turn is first, be it due or not.
SELECT id, uid, channel, recipient, template, lang, sealed, created_ms, expires_ms, dead, next_ms, attempts, problem
FROM outbox WHERE channel = $1 AND dead = 0 ORDER BY next_ms LIMIT 1;

-- name: outbox_claim
-- in: id int, seen_next_ms int, lease_until_ms int
-- out: changed
UPDATE outbox SET next_ms = $3, attempts = attempts + 1, problem = NULL
WHERE id = $1 AND dead = 0 AND next_ms = $2;

-- name: outbox_delete
-- in: id int
-- out: changed
DELETE FROM outbox WHERE id = $1;

-- name: outbox_delete_dead
-- in: channel int
-- out: changed
DELETE FROM outbox WHERE channel = $1 AND dead = 1;

-- name: outbox_retry_at
-- in: id int, next_ms int, problem text
-- out: none
UPDATE outbox SET next_ms = $2, problem = $3 WHERE id = $1;

-- name: outbox_give_up
-- in: id int, problem text
-- out: none
UPDATE outbox SET dead = 1, problem = $2 WHERE id = $1;

-- name: outbox_release
-- in: channel int, now_ms int
-- out: changed
UPDATE outbox SET next_ms = $2, problem = 'the server ended meanwhile'
WHERE channel = $1 AND dead = 0 AND attempts > 0 AND problem IS NULL;

-- name: outbox_sweep
-- in: channel int, before_ms int, limit_n int
-- out: changed
-- Dead ones that no operator wanted.
DELETE FROM outbox WHERE id IN (
	SELECT id FROM outbox WHERE channel = $1 AND dead = 1 AND next_ms < $2 ORDER BY next_ms LIMIT $3);

-- name: outbox_depth
-- in: channel int
-- out: one outbox_depth_row
SELECT coalesce(sum(dead = 0), 0) AS waiting, coalesce(sum(dead), 0) AS dead,
       coalesce(min(CASE WHEN dead = 0 THEN created_ms END), 0) AS oldest_ms
FROM outbox WHERE channel = $1;

-- name: outbox_page
-- in: after_id int, limit_n int
-- out: many outbox_row
SELECT id, uid, channel, recipient, template, lang, sealed, created_ms, expires_ms, dead, next_ms, attempts, problem
FROM outbox WHERE id > $1 ORDER BY id LIMIT $2;

-- name: outbox_retry
-- in: id int, now_ms int
-- out: changed
-- A dead one starts anew, its age too. One under way is left alone, else it would be sent twice.
UPDATE outbox SET created_ms = CASE WHEN dead = 1 THEN $2 ELSE created_ms END,
       attempts = CASE WHEN dead = 1 THEN 0 ELSE attempts END, dead = 0, next_ms = $2
WHERE id = $1 AND (dead = 1 OR attempts = 0 OR problem IS NOT NULL);

-- name: outbox_retry_dead
-- in: channel int, now_ms int
-- out: changed
UPDATE outbox SET created_ms = $2, attempts = 0, dead = 0, next_ms = $2 WHERE channel = $1 AND dead = 1;
