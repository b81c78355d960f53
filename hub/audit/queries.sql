-- Entries and look-ups. A group of entries is one statement, so one durable commit.

-- name: add_entries
WITH told AS MATERIALIZED (
    SELECT given.*, convert_from(given.canonical, 'UTF8')::jsonb AS content
    FROM unnest($1::bytea[], $2::integer[]) WITH ORDINALITY AS given (canonical, key_version, turn)
),
entries AS MATERIALIZED (
    SELECT
        told.turn, told.canonical, told.key_version,
        (told.content ->> 'at')::timestamptz AS at,
        (told.content ->> 'id')::uuid AS id,
        (told.content ->> 'inquiry')::uuid AS inquiry,
        told.content ->> 'kind' AS kind,
        told.content #>> '{purpose,client}' AS client,
        CASE told.content ->> 'kind' WHEN 'outcome' THEN 0 ELSE jsonb_array_length(told.content -> 'subjects') END AS marks
    FROM told
),
added AS (
    INSERT INTO audit.entry (at, id, inquiry, kind, client, canonical)
    SELECT at, id, inquiry, kind, client, canonical FROM entries
)
INSERT INTO audit.subject (at, entry, inquiry, place, key_version, pseudonym, salt)
SELECT
    entry.at, entry.id, entry.inquiry, place, entry.key_version,
    substring($3::bytea FROM (entry.before + place) * 64 - 63 FOR 32),
    substring($3::bytea FROM (entry.before + place) * 64 - 31 FOR 32)
FROM (SELECT *, (sum(marks) OVER (ORDER BY turn) - marks)::integer AS before FROM entries) AS entry
CROSS JOIN generate_series(1, entry.marks) AS place

-- name: newest
SELECT entry.at, entry.inquiry, entry.canonical FROM audit.entry
WHERE entry.kind = 'intent' AND entry.at >= $1
ORDER BY entry.at DESC, entry.inquiry DESC LIMIT $2

-- name: newest_of_client
SELECT entry.at, entry.inquiry, entry.canonical FROM audit.entry
WHERE entry.kind = 'intent' AND entry.client = $3 AND entry.at >= $1
ORDER BY entry.at DESC, entry.inquiry DESC LIMIT $2

-- name: newest_of_subject
SELECT entry.at, entry.inquiry, entry.canonical FROM audit.entry
WHERE entry.kind = 'intent' AND entry.at >= $1 AND ($4::text IS NULL OR entry.client = $4)
AND entry.inquiry IN (
    SELECT subject.inquiry FROM audit.subject WHERE subject.pseudonym = ANY ($3::bytea[])
)
ORDER BY entry.at DESC, entry.inquiry DESC LIMIT $2

-- name: intent
SELECT entry.at, entry.inquiry, entry.canonical FROM audit.entry
WHERE entry.kind = 'intent' AND entry.inquiry = $1

-- name: later_entries
SELECT entry.inquiry, entry.canonical FROM audit.entry
WHERE entry.inquiry = ANY ($1::uuid[]) AND entry.kind <> 'intent' AND entry.at >= $2
ORDER BY entry.at, entry.id

-- name: add_step
INSERT INTO audit.step (id, at, subject, canonical) VALUES ($1, $2, $3, $4)

-- name: steps
SELECT canonical FROM audit.step WHERE $2::text IS NULL OR subject = $2 ORDER BY at DESC, id DESC LIMIT $1

-- name: last_month
SELECT max(to_date(right(child.relname, 7), 'YYYY_MM')) AS month
FROM pg_inherits
JOIN pg_class AS child ON child.oid = pg_inherits.inhrelid
WHERE pg_inherits.inhparent = 'audit.entry'::regclass

-- name: make_partitions
SELECT audit.make_partitions($1, $2)

-- name: is_writable
SELECT bool_and(to_regclass('audit.' || name || month) IS NOT NULL AND has_table_privilege('audit.' || name, 'INSERT'))
FROM unnest(ARRAY['entry', 'subject']) AS name, to_char($1::timestamptz AT TIME ZONE 'UTC', '_YYYY_MM') AS month
