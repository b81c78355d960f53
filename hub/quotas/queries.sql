-- A window is counted from the database's clock, which all workers share; a day begins at midnight UTC+8.
-- Losing the last moments of a lease in a crash only gives a client a little back: no commit waits for it.

-- name: quotas
SELECT client, record, per_second, per_minute, per_day FROM quotas.quota
ORDER BY client NULLS FIRST, record NULLS FIRST;

-- name: put
INSERT INTO quotas.quota (client, record, per_second, per_minute, per_day) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (client, record) DO UPDATE
SET per_second = excluded.per_second, per_minute = excluded.per_minute, per_day = excluded.per_day;

-- name: remove
DELETE FROM quotas.quota WHERE client IS NOT DISTINCT FROM $1 AND record IS NOT DISTINCT FROM $2;

-- name: prepare
INSERT INTO quotas.leased (client, record, seconds)
SELECT * FROM unnest($1::text [], $2::text [], $3::integer []) ORDER BY 1, 2, 3
ON CONFLICT DO NOTHING;

-- name: lease
WITH asked AS (
    SELECT * FROM unnest($1::text [], $2::text [], $3::integer [], $4::bigint [], $5::bigint [], $6::bigint [])
    AS one (client, record, seconds, quota, need, wanted)
),
moment AS MATERIALIZED (
    SELECT extract(EPOCH FROM clock_timestamp()) AS now, set_config('synchronous_commit', 'off', TRUE) AS lazily
),
locked AS MATERIALIZED (
    SELECT leased.*, asked.quota, asked.need, asked.wanted
    FROM quotas.leased JOIN asked USING (client, record, seconds)
    ORDER BY leased.client, leased.record, leased.seconds
    FOR UPDATE OF leased
),
placed AS (
    SELECT locked.*, now, greatest(began, floor((now + 28800) / seconds)::bigint * seconds - 28800) AS current
    FROM locked JOIN moment ON lazily = 'off'
),
weighed AS (
    SELECT *, CASE WHEN current = began THEN leased ELSE 0 END AS gone FROM placed
),
granted AS (
    SELECT *, CASE
        WHEN quota - gone >= need THEN greatest(least(wanted, quota - gone), 0)
        ELSE 0
    END AS amount
    FROM weighed
)
UPDATE quotas.leased
SET began = granted.current, leased = granted.gone + granted.amount
FROM granted
WHERE (leased.client, leased.record, leased.seconds) = (granted.client, granted.record, granted.seconds)
RETURNING
    leased.client, leased.record, leased.seconds, leased.began, granted.amount,
    greatest(granted.quota - leased.leased, 0) AS pool,
    (leased.began + leased.seconds - granted.now)::double precision AS lasts;

-- name: give_back
WITH given AS (
    SELECT * FROM unnest($1::text [], $2::text [], $3::integer [], $4::bigint [], $5::bigint [])
    AS one (client, record, seconds, began, amount)
),
locked AS MATERIALIZED (
    SELECT leased.*, given.amount
    FROM quotas.leased JOIN given USING (client, record, seconds, began)
    ORDER BY leased.client, leased.record, leased.seconds
    FOR UPDATE OF leased
)
UPDATE quotas.leased SET leased = greatest(locked.leased - locked.amount, 0)
FROM locked
WHERE (leased.client, leased.record, leased.seconds) = (locked.client, locked.record, locked.seconds)
AND leased.began = locked.began;
