-- How often each client may ask: limits that differ from the settings, and what the workers have leased.

CREATE SCHEMA quotas;
GRANT USAGE ON SCHEMA quotas TO hub_serve;

CREATE TABLE quotas.quota (
    client text REFERENCES clients.client,
    record text CHECK (record ~ '^[a-z][a-z0-9_]{0,62}$'),
    per_second bigint CHECK (per_second >= 0),
    per_minute bigint CHECK (per_minute >= 0),
    per_day bigint CHECK (per_day >= 0),
    UNIQUE NULLS NOT DISTINCT (client, record),
    CHECK (client IS NOT NULL OR record IS NOT NULL)
);
COMMENT ON COLUMN quotas.quota.client IS 'null: every client without a row of its own for the record';
COMMENT ON COLUMN quotas.quota.record IS 'null: all records together';
COMMENT ON COLUMN quotas.quota.per_second IS 'requests; 0: no limit; null: as without this row';
COMMENT ON COLUMN quotas.quota.per_minute IS 'requests';
COMMENT ON COLUMN quotas.quota.per_day IS 'subjects';

-- One row a limit in use, reset in place when its next window begins: the table does not grow.
CREATE TABLE quotas.leased (
    client text NOT NULL,
    record text NOT NULL,
    seconds integer NOT NULL CHECK (seconds > 0),
    began bigint NOT NULL DEFAULT 0,
    leased bigint NOT NULL DEFAULT 0 CHECK (leased >= 0),
    PRIMARY KEY (client, record, seconds)
) WITH (fillfactor = 50);
COMMENT ON COLUMN quotas.leased.record IS 'empty: all records together';
COMMENT ON COLUMN quotas.leased.seconds IS 'length of the window';
COMMENT ON COLUMN quotas.leased.began IS 'beginning of the window, Unix seconds';
COMMENT ON COLUMN quotas.leased.leased IS 'of the quota, what workers have taken in this window';

CREATE FUNCTION quotas.changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('quotas', '');
    RETURN NULL;
END $$;

CREATE TRIGGER quota_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON quotas.quota
FOR EACH STATEMENT EXECUTE FUNCTION quotas.changed();

GRANT SELECT ON quotas.quota TO hub_serve;
GRANT SELECT, INSERT, UPDATE ON quotas.leased TO hub_serve;
