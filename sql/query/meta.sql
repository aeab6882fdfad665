-- Single numbers that the server keeps about itself.

-- name: meta_get
-- in: key text
-- out: int
SELECT value FROM meta WHERE key = $1;

-- name: meta_set
-- in: key text, value int
-- out: none
INSERT INTO meta (key, value) VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET value = $2;

-- name: meta_raise
-- in: key text, value int
-- out: none
INSERT INTO meta (key, value) VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET value = max(value, $2);

-- name: meta_add
-- in: key text, value int
-- out: none
INSERT INTO meta (key, value) VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET value = value + $2;
