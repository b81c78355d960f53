-- name: put_agency
INSERT INTO catalogue.agency (code, name_zh, name_en) VALUES ($1, $2, $3)
ON CONFLICT (code) DO UPDATE SET name_zh = excluded.name_zh, name_en = excluded.name_en
WHERE (agency.name_zh, agency.name_en) IS DISTINCT FROM (excluded.name_zh, excluded.name_en)

-- name: put_record_type
INSERT INTO catalogue.record_type (code, definition) VALUES ($1, $2)
ON CONFLICT (code) DO UPDATE SET definition = excluded.definition
WHERE record_type.definition IS DISTINCT FROM excluded.definition

-- name: lock_connector
SELECT pg_advisory_xact_lock(hashtextextended('catalogue.connector.' || $1, 0))

-- name: active_manifest
SELECT manifest, version, sealed_credentials FROM catalogue.connector WHERE id = $1 AND active

-- name: last_version
SELECT coalesce(max(version), 0) FROM catalogue.connector WHERE id = $1

-- name: deactivate
UPDATE catalogue.connector SET active = FALSE WHERE id = $1 AND active

-- name: add_connector
INSERT INTO catalogue.connector (id, version, agency, manifest, sealed_credentials, active)
VALUES ($1, $2, $3, $4, $5, TRUE)

-- name: version
SELECT version FROM catalogue.state

-- name: agencies
SELECT code, name_zh, name_en FROM catalogue.agency

-- name: record_types
SELECT code, definition FROM catalogue.record_type ORDER BY code

-- name: connectors
SELECT id, version, agency, manifest, sealed_credentials FROM catalogue.connector WHERE active ORDER BY id
