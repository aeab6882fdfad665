-- Where users signed in from before (domain/place.h).

-- name: place_seen
-- in: user_id int, place blob
-- out: int
SELECT seen_ms FROM place WHERE user_id = $1 AND place = $2;

-- name: place_put
-- in: user_id int, place blob, now_ms int
-- out: none
INSERT INTO place (user_id, place, seen_ms) VALUES ($1, $2, $3)
ON CONFLICT (user_id, place) DO UPDATE SET seen_ms = max(seen_ms, $3);

-- name: place_trim
-- in: user_id int, keep int
-- out: none
-- Forgets those seen longest ago, beyond the newest `keep`.
DELETE FROM place WHERE user_id = $1 AND place IN (
	SELECT place FROM place WHERE user_id = $1 ORDER BY seen_ms DESC LIMIT 1000 OFFSET $2);

-- name: place_forget
-- in: user_id int
-- out: none
DELETE FROM place WHERE user_id = $1;

-- name: place_sweep
-- in: before_ms int, limit_n int
-- out: changed
DELETE FROM place WHERE (user_id, place) IN (
	SELECT user_id, place FROM place WHERE seen_ms < $1 ORDER BY seen_ms LIMIT $2);
