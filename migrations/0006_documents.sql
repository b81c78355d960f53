-- Trusted documents: operations that clients may name instead of sending them; and what a question may cost.

CREATE SCHEMA IF NOT EXISTS documents;
GRANT USAGE ON SCHEMA documents TO hub_serve;

CREATE TABLE documents.document (
    id text PRIMARY KEY CHECK (id <> '' AND length(id) <= 200),
    name text UNIQUE CHECK (name ~ '^[A-Za-z_][0-9A-Za-z_]{0,99}$'),
    text text NOT NULL CHECK (text <> ''),
    added_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON COLUMN documents.document.name IS 'of the operation; gone once a newer text has taken it over';

CREATE FUNCTION documents.changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('documents', '');
    RETURN NULL;
END $$;

CREATE TRIGGER document_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON documents.document
FOR EACH STATEMENT EXECUTE FUNCTION documents.changed();

GRANT SELECT ON documents.document TO hub_serve;

ALTER TABLE clients.client ADD COLUMN cost_limit bigint CHECK (cost_limit > 0);
COMMENT ON COLUMN clients.client.cost_limit IS 'most that one question may cost; NULL: as the setting says';
