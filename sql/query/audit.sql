-- Security events: appended in the transaction of the fact they tell of.

-- name: audit_insert
-- in: at_ms int, event text, user_uid blob, sid blob, ip text, request_id text, detail text
-- out: none
INSERT INTO audit (at_ms, event, user_uid, sid, ip, request_id, detail) VALUES ($1, $2, $3, $4, $5, $6, $7);

-- name: audit_tail
-- in: limit_n int
-- out: many audit_row
SELECT id, at_ms, event, user_uid, sid, ip, request_id, detail FROM (
	SELECT id, at_ms, event, user_uid, sid, ip, request_id, detail FROM audit ORDER BY id DESC LIMIT $1)
ORDER BY id;

-- name: audit_after
-- in: after_id int, limit_n int
-- out: many audit_row
SELECT id, at_ms, event, user_uid, sid, ip, request_id, detail FROM audit WHERE id > $1 ORDER BY id LIMIT $2;

-- name: audit_of_user
-- in: user_uid blob, limit_n int
-- out: many audit_row
SELECT id, at_ms, event, user_uid, sid, ip, request_id, detail FROM audit WHERE user_uid = $1
ORDER BY id DESC LIMIT $2;

-- name: audit_sweep_mark
-- in: before_ms int
-- out: none
INSERT INTO meta (key, value) VALUES ('audit_swept_before_ms', $1)
ON CONFLICT (key) DO UPDATE SET value = max(value, $1);

-- name: audit_sweep
-- in: before_ms int, limit_n int
-- out: changed
DELETE FROM audit WHERE id IN (SELECT id FROM audit WHERE at_ms < $1 ORDER BY at_ms LIMIT $2);
