-- Clients with their secrets, public keys and delegations; grants; and the news of changed signing keys.

CREATE SCHEMA IF NOT EXISTS clients;
CREATE SCHEMA IF NOT EXISTS grants;
GRANT USAGE ON SCHEMA clients, grants TO hub_serve;

CREATE TABLE clients.client (
    id text PRIMARY KEY CHECK (id ~ '^[0-9A-Za-z][0-9A-Za-z._-]{0,63}$'),
    name text NOT NULL CHECK (name <> ''),
    rights text [] NOT NULL DEFAULT '{}',
    suspended boolean NOT NULL DEFAULT FALSE,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE clients.delegation (
    client text NOT NULL REFERENCES clients.client,
    agency text NOT NULL,
    PRIMARY KEY (client, agency)
);
COMMENT ON TABLE clients.delegation IS 'agencies that have delegated their reading to a client';

CREATE TABLE clients.secret (
    client text NOT NULL REFERENCES clients.client,
    number bigint GENERATED ALWAYS AS IDENTITY,
    salt bytea NOT NULL CHECK (octet_length(salt) = 16),
    digest bytea NOT NULL CHECK (octet_length(digest) = 32),
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (client, number)
);

CREATE TABLE clients.public_key (
    client text NOT NULL REFERENCES clients.client,
    kid text NOT NULL,
    jwk jsonb NOT NULL,
    PRIMARY KEY (client, kid)
);

-- Assertions (RFC 7523) already used; a row may go once its assertion has expired.
CREATE TABLE clients.assertion (
    client text NOT NULL,
    digest bytea NOT NULL CHECK (octet_length(digest) = 32),
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (client, digest)
);
CREATE INDEX assertion_expires_at ON clients.assertion (expires_at);
COMMENT ON COLUMN clients.assertion.digest IS 'SHA-256 of the jti';

CREATE TABLE grants.grant_of_fields (
    client text NOT NULL REFERENCES clients.client,
    agency text NOT NULL CHECK (agency <> ''),
    procedure text NOT NULL REFERENCES procedures.procedure,
    record text NOT NULL CHECK (record ~ '^[a-z][a-z0-9_]{0,62}$'),
    fields text [] NOT NULL CHECK (cardinality(fields) > 0),
    until timestamptz NOT NULL,
    PRIMARY KEY (client, agency, procedure, record)
);

CREATE FUNCTION clients.changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('clients', '');
    RETURN NULL;
END $$;

CREATE FUNCTION grants.changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('grants', '');
    RETURN NULL;
END $$;

CREATE FUNCTION kernel.signing_key_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('signing_key', '');
    RETURN NULL;
END $$;

CREATE TRIGGER client_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON clients.client
FOR EACH STATEMENT EXECUTE FUNCTION clients.changed();
CREATE TRIGGER delegation_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON clients.delegation
FOR EACH STATEMENT EXECUTE FUNCTION clients.changed();
CREATE TRIGGER secret_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON clients.secret
FOR EACH STATEMENT EXECUTE FUNCTION clients.changed();
CREATE TRIGGER public_key_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON clients.public_key
FOR EACH STATEMENT EXECUTE FUNCTION clients.changed();
CREATE TRIGGER grant_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON grants.grant_of_fields
FOR EACH STATEMENT EXECUTE FUNCTION grants.changed();
CREATE TRIGGER signing_key_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON kernel.signing_key
FOR EACH STATEMENT EXECUTE FUNCTION kernel.signing_key_changed();

GRANT SELECT ON clients.client, clients.delegation, clients.secret, clients.public_key TO hub_serve;
GRANT SELECT (expires_at), INSERT, DELETE ON clients.assertion TO hub_serve;
GRANT SELECT ON grants.grant_of_fields TO hub_serve;
