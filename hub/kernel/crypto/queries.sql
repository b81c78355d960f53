-- name: lock_signing_keys
SELECT pg_advisory_xact_lock(hashtextextended('kernel.signing_key', 0));

-- name: signing_keys
SELECT kid, use, public_jwk, sealed_private, retired_at
FROM kernel.signing_key
ORDER BY created_at, kid;

-- name: add_signing_key
INSERT INTO kernel.signing_key (kid, use, algorithm, public_jwk, sealed_private, created_at)
VALUES ($1, $2, $3, $4, $5, clock_timestamp());

-- name: retire_signing_keys
UPDATE kernel.signing_key
SET retired_at = clock_timestamp()
WHERE use = $1 AND retired_at IS NULL;
