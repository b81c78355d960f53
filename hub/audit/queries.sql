-- Entries and look-ups. A group of entries is one statement, so one durable commit.

-- name: add_entries
WITH added AS (
    INSERT INTO audit.entry (at, id, inquiry, kind, client, canonical)
    SELECT * FROM unnest($1::timestamptz[], $2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::bytea[])
)
INSERT INTO audit.subject (at, entry, inquiry, place, key_version, pseudonym, salt)
SELECT
    entry.at, entry.id, entry.inquiry, place, entry.key_version,
    substring($10::bytea FROM (entry.before + place) * 64 - 63 FOR 32),
    substring($10::bytea FROM (entry.before + place) * 64 - 31 FOR 32)
FROM unnest($1, $2, $3, $7::integer[], $8::integer[], $9::integer[])
    AS entry (at, id, inquiry, key_version, before, marks)
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
