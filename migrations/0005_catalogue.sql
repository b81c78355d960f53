-- The catalogue: agencies, record types (evidence types and base records), versioned connectors.

CREATE SCHEMA IF NOT EXISTS catalogue;
GRANT USAGE ON SCHEMA catalogue TO hub_serve;

CREATE TABLE catalogue.agency (
    code text PRIMARY KEY,
    name_zh text NOT NULL,
    name_en text NOT NULL
);

CREATE TABLE catalogue.record_type (
    code text PRIMARY KEY CHECK (code ~ '^[a-z][a-z0-9_]{0,62}$'),
    definition jsonb NOT NULL
);

CREATE TABLE catalogue.connector (
    id text NOT NULL CHECK (id ~ '^[a-z][a-z0-9-]{0,62}$'),
    version bigint NOT NULL CHECK (version > 0),
    agency text NOT NULL REFERENCES catalogue.agency,
    manifest text NOT NULL,
    sealed_credentials bytea NOT NULL,
    active boolean NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (id, version)
);
CREATE UNIQUE INDEX connector_one_active ON catalogue.connector (id) WHERE active;

-- One row: the number of the catalogue's present state, told to every worker when it changes.
CREATE TABLE catalogue.state (
    only_row boolean PRIMARY KEY DEFAULT TRUE CHECK (only_row),
    version bigint NOT NULL
);
INSERT INTO catalogue.state (version) VALUES (1);

CREATE FUNCTION catalogue.changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE catalogue.state SET version = version + 1;
    PERFORM pg_notify('catalogue', (SELECT version FROM catalogue.state)::text);
    RETURN NULL;
END $$;

CREATE TRIGGER agency_changed AFTER INSERT OR UPDATE OR DELETE ON catalogue.agency
FOR EACH ROW EXECUTE FUNCTION catalogue.changed();
CREATE TRIGGER record_type_changed AFTER INSERT OR UPDATE OR DELETE ON catalogue.record_type
FOR EACH ROW EXECUTE FUNCTION catalogue.changed();
CREATE TRIGGER connector_changed AFTER INSERT OR UPDATE OR DELETE ON catalogue.connector
FOR EACH ROW EXECUTE FUNCTION catalogue.changed();

GRANT SELECT ON ALL TABLES IN SCHEMA catalogue TO hub_serve;
