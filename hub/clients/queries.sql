-- name: clients
SELECT
    client.id,
    client.name,
    client.rights,
    client.suspended,
    client.cost_limit,
    ARRAY(
        SELECT delegation.agency FROM clients.delegation WHERE delegation.client = client.id
    ) AS agencies,
    ARRAY(
        SELECT secret.salt || secret.digest FROM clients.secret
        WHERE secret.client = client.id ORDER BY secret.number
    ) AS secrets,
    ARRAY(
        SELECT public_key.jwk::text FROM clients.public_key
        WHERE public_key.client = client.id ORDER BY public_key.kid
    ) AS keys
FROM clients.client;

-- name: put_client
INSERT INTO clients.client (id, name, rights)
VALUES ($1, $2, $3)
ON CONFLICT (id) DO UPDATE
SET name = excluded.name, rights = excluded.rights;

-- name: drop_delegations
DELETE FROM clients.delegation
WHERE client = $1;

-- name: add_delegation
INSERT INTO clients.delegation (client, agency)
VALUES ($1, $2);

-- name: drop_keys
DELETE FROM clients.public_key
WHERE client = $1;

-- name: add_key
INSERT INTO clients.public_key (client, kid, jwk)
VALUES ($1, $2, $3::jsonb);

-- name: lock_client
SELECT id FROM clients.client
WHERE id = $1
FOR UPDATE;

-- name: drop_older_secrets
DELETE FROM clients.secret
WHERE client = $1 AND number < (SELECT max(newest.number) FROM clients.secret AS newest WHERE newest.client = $1);

-- name: add_secret
INSERT INTO clients.secret (client, salt, digest)
VALUES ($1, $2, $3);

-- name: suspend
UPDATE clients.client
SET suspended = $2
WHERE id = $1;

-- name: limit_cost
UPDATE clients.client
SET cost_limit = $2
WHERE id = $1;

-- name: use_assertion
INSERT INTO clients.assertion (client, digest, expires_at)
VALUES ($1, $2, $3)
ON CONFLICT DO NOTHING;

-- name: forget_assertions
DELETE FROM clients.assertion
WHERE
    expires_at < $1
    AND (SELECT pg_try_advisory_xact_lock(hashtextextended('clients.assertion', 0)));
