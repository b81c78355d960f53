-- name: procedures
SELECT code, name_zh, name_en, agency FROM procedures.procedure;

-- name: put_procedure
INSERT INTO procedures.procedure (code, name_zh, name_en, agency)
VALUES ($1, $2, $3, $4)
ON CONFLICT (code) DO UPDATE
SET name_zh = excluded.name_zh, name_en = excluded.name_en, agency = excluded.agency;
