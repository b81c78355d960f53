-- name: regions
SELECT code, name, parent FROM regions.region;

-- name: put_region
INSERT INTO regions.region (code, name, parent)
VALUES ($1, $2, $3)
ON CONFLICT (code) DO UPDATE
SET name = excluded.name, parent = excluded.parent;
