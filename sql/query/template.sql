-- Templates an operator has stored. They are few, and read for each message that is sent.

-- name: template_find
-- in: id text, stand_in text
-- out: one template_row
-- That of `id`; without one that of `stand_in`, if both its bases are there.
SELECT id, base_html, base_text FROM template
WHERE id IN ($1, $2) AND (id = $1 OR (base_html <> '' AND base_text <> ''))
ORDER BY id <> $1 LIMIT 1;

-- name: template_texts
-- in: template text
-- out: many template_text_row
SELECT lang, key, value FROM template_text WHERE template = $1 ORDER BY lang, key;

-- name: template_list
-- in: after_id text, limit_n int
-- out: many template_list_row
SELECT id, base_html <> '' AS has_html, base_text <> '' AS has_text,
       (SELECT count(*) FROM template_text x WHERE x.template = t.id) AS texts
FROM template t WHERE id > $1 ORDER BY id LIMIT $2;

-- name: template_put
-- in: id text, base_html text, base_text text
-- out: none
INSERT INTO template (id, base_html, base_text) VALUES ($1, $2, $3)
ON CONFLICT (id) DO UPDATE SET base_html = excluded.base_html, base_text = excluded.base_text;

-- name: template_text_put
-- in: template text, lang text, key text, value text
-- out: none
-- ERR_NOT_FOUND without a row of the template.
INSERT INTO template_text (template, lang, key, value) VALUES ($1, $2, $3, $4)
ON CONFLICT (template, lang, key) DO UPDATE SET value = excluded.value;

-- name: template_text_delete
-- in: template text, lang text, key text
-- out: changed
DELETE FROM template_text WHERE template = $1 AND lang = $2 AND key = $3;

-- name: template_delete
-- in: id text
-- out: changed
DELETE FROM template WHERE id = $1;

-- name: template_prune
-- in: id text
-- out: changed
-- Deletes it if it holds neither bases nor texts any more.
DELETE FROM template WHERE id = $1 AND base_html = '' AND base_text = ''
	AND NOT EXISTS (SELECT 1 FROM template_text WHERE template = $1);
