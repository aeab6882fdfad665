-- Guessing counters (domain/attempt.h).

-- name: attempt_find
-- in: key blob
-- out: one attempt_row
SELECT failures, since_ms, blocked_ms, last_ms, penalties, guess FROM attempt WHERE key = $1;

-- name: attempt_put
-- in: key blob, scope int, failures int, since_ms int, blocked_ms int, last_ms int, penalties int, guess int
-- out: none
INSERT INTO attempt (key, scope, failures, since_ms, blocked_ms, last_ms, penalties, guess)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
ON CONFLICT (key) DO UPDATE SET failures = $3, since_ms = $4, blocked_ms = $5, last_ms = $6, penalties = $7,
	guess = $8;

-- name: attempt_delete
-- in: key blob
-- out: none
DELETE FROM attempt WHERE key = $1;

-- name: attempt_sweep
-- in: scope int, before_ms int, now_ms int, closed_at int, limit_n int
-- out: changed
-- A closed account (failures >= closed_at) stays closed until somebody proves it is theirs.
DELETE FROM attempt WHERE key IN (
	SELECT key FROM attempt WHERE scope = $1 AND last_ms < $2 AND blocked_ms < $3 AND failures < $4
	ORDER BY last_ms LIMIT $5);
