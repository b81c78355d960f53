-- name: documents
SELECT id, name, text FROM documents.document
ORDER BY name NULLS LAST, id;

-- name: release_name
UPDATE documents.document
SET name = NULL
WHERE name = $1 AND id <> $2;

-- name: put_document
INSERT INTO documents.document (id, name, text)
VALUES ($1, $2, $3)
ON CONFLICT (id) DO UPDATE
SET name = excluded.name
WHERE document.text = excluded.text;

-- name: count
SELECT count(*) FROM documents.document;

-- name: remove
DELETE FROM documents.document
WHERE id = $1 OR name = $1;
