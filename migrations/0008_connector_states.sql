-- How connector versions come into service: who proposed and approved each, and every step in the log.

-- An account of an agency's officer, or of the bureau that approves. Sign-in names accounts; it stands elsewhere.
CREATE TABLE catalogue.officer (
    account text PRIMARY KEY CHECK (length(account) BETWEEN 1 AND 100),
    agency text NOT NULL REFERENCES catalogue.agency,
    approves boolean NOT NULL
);

-- active goes on to say which version serves. A release that knows no states writes none: then active decides.
ALTER TABLE catalogue.connector ADD COLUMN state text;
ALTER TABLE catalogue.connector ADD COLUMN proposed_by text;
ALTER TABLE catalogue.connector ADD COLUMN approved_by text;
ALTER TABLE catalogue.connector ADD COLUMN report bytea;
ALTER TABLE catalogue.connector ADD COLUMN paused_until timestamptz;
COMMENT ON COLUMN catalogue.connector.state IS 'null: active or superseded, as active says';
COMMENT ON COLUMN catalogue.connector.report IS 'SHA-256 of the report of the test that the agency ran';

-- Steps of administration: insert only, as the log of look-ups. canonical is the whole step (RFC 8785 JSON).
CREATE TABLE audit.step (
    id uuid PRIMARY KEY,
    at timestamptz NOT NULL,
    subject text NOT NULL,
    canonical bytea NOT NULL
);
CREATE INDEX step_subject ON audit.step (subject, at);
CREATE TRIGGER step_is_final BEFORE UPDATE OR DELETE ON audit.step
FOR EACH ROW EXECUTE FUNCTION audit.refuse_change();
CREATE TRIGGER step_is_kept BEFORE TRUNCATE ON audit.step
FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse_change();

GRANT SELECT ON catalogue.officer TO hub_serve;
GRANT SELECT ON audit.step TO hub_serve;
