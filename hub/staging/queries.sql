-- Everything that changes what is answered with happens under the offering's lock, in one transaction.

-- name: lock
SELECT pg_try_advisory_xact_lock(hashtextextended('staging.' || $1 || '.' || $2, 0));

-- name: next_number
SELECT nextval('staging.load_number');

-- name: held
SELECT load.id, load.as_of, load.sealed_key, row.subject, row.line, row.sealed
FROM staging.load LEFT JOIN staging.row ON row.load = load.id AND row.subject = any($4::bytea [])
WHERE load.connector = $1 AND load.offering = $2 AND load.mapping = $3 AND load.state = 'serving'
ORDER BY row.subject, row.line
LIMIT $5;

-- name: loads
SELECT id, connector, offering, mapping, state, file, sha256, stamp, as_of, total, bad, reasons,
    came_at, decided_by, decided_at
FROM staging.load
WHERE ($1::text IS NULL OR connector = $1) AND ($2::text IS NULL OR offering = $2)
ORDER BY id DESC
LIMIT $3;

-- name: load
SELECT id, connector, offering, mapping, state, file, sha256, stamp, as_of, total, bad, reasons,
    came_at, decided_by, decided_at
FROM staging.load WHERE id = $1;

-- name: add
INSERT INTO staging.load (
    id, connector, offering, mapping, state, file, sha256, stamp, as_of, total, bad, reasons, sealed_key
) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12::jsonb, $13);

-- name: retire
WITH retired AS (
    UPDATE staging.load SET state = 'replaced', sealed_key = NULL
    WHERE connector = $1 AND offering = $2 AND state IN ('serving', 'waiting') AND state = any($3::text [])
    RETURNING id
)
DELETE FROM staging.row USING retired WHERE row.load = retired.id;

-- name: serve
UPDATE staging.load SET state = 'serving', decided_by = $2, decided_at = now()
WHERE id = $1 AND state = 'waiting';

-- name: reject
UPDATE staging.load SET state = 'rejected', sealed_key = NULL, decided_by = $2, decided_at = now()
WHERE id = $1 AND state = 'waiting';

-- name: delete_rows
DELETE FROM staging.row WHERE load = $1;

-- name: repeated
SELECT line FROM (
    SELECT line, row_number() OVER (PARTITION BY subject ORDER BY line) AS place
    FROM staging.row WHERE load = $1
) AS placed
WHERE place > 1 ORDER BY line;

-- name: trim
DELETE FROM staging.load
WHERE connector = $1 AND offering = $2 AND state NOT IN ('serving', 'waiting') AND id < (
    SELECT min(id) FROM (
        SELECT id FROM staging.load WHERE connector = $1 AND offering = $2 ORDER BY id DESC LIMIT $3
    ) AS newest
);

-- name: announce
SELECT pg_notify($1, '');
