-- name: grants_for
SELECT client, agency, procedure, record, fields, until
FROM grants.grant_of_fields
WHERE client = $1 AND agency = $2 AND procedure = $3;

-- name: grants_of
SELECT client, agency, procedure, record, fields, until
FROM grants.grant_of_fields
WHERE client = $1
ORDER BY agency, procedure, record;

-- name: put_grant
INSERT INTO grants.grant_of_fields (client, agency, procedure, record, fields, until)
VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (client, agency, procedure, record) DO UPDATE
SET fields = excluded.fields, until = excluded.until;

-- name: revoke
DELETE FROM grants.grant_of_fields
WHERE client = $1 AND agency = $2 AND procedure = $3 AND record = $4;
