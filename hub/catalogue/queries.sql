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

-- name: owner_of
SELECT agency FROM catalogue.connector WHERE id = $1 LIMIT 1

-- name: in_service
SELECT version, manifest, sealed_credentials FROM catalogue.connector WHERE id = $1 AND active

-- name: last_version
SELECT coalesce(max(version), 0) FROM catalogue.connector WHERE id = $1

-- name: add_connector
INSERT INTO catalogue.connector
(id, version, agency, manifest, sealed_credentials, active, state, proposed_by, report)
VALUES ($1, $2, $3, $4, $5, FALSE, 'proposed', $6, $7)

-- name: versions
SELECT
    id, version, agency, sha256(convert_to(manifest, 'UTF8')) AS manifest, proposed_by, approved_by, report,
    CASE
        WHEN active OR (state = 'paused' AND paused_until <= now()) THEN 'active'
        WHEN state IS NULL OR state = 'active' THEN 'superseded'
        ELSE state
    END AS state,
    CASE WHEN state = 'paused' THEN paused_until END AS paused_until
FROM catalogue.connector WHERE $1::text IS NULL OR id = $1 ORDER BY id, version

-- name: set_state
UPDATE catalogue.connector
SET state = $3, active = ($3 = 'active'), approved_by = coalesce($4, approved_by), paused_until = $5
WHERE id = $1 AND version = $2

-- name: officer
SELECT account, agency, approves FROM catalogue.officer WHERE account = $1

-- name: officers
SELECT account, agency, approves FROM catalogue.officer ORDER BY account

-- name: put_officer
INSERT INTO catalogue.officer (account, agency, approves) VALUES ($1, $2, $3)
ON CONFLICT (account) DO UPDATE SET agency = excluded.agency, approves = excluded.approves

-- name: version
SELECT version FROM catalogue.state

-- name: agencies
SELECT code, name_zh, name_en FROM catalogue.agency

-- name: record_types
SELECT code, definition FROM catalogue.record_type ORDER BY code

-- name: connectors
SELECT id, version, agency, manifest, sealed_credentials, NOT active AS paused, paused_until
FROM catalogue.connector WHERE active OR state = 'paused' ORDER BY id
