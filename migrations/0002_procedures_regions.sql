-- Procedures (政务服务事项) and regions (GB/T 2260 and its street and village codes).

CREATE SCHEMA IF NOT EXISTS procedures;
CREATE SCHEMA IF NOT EXISTS regions;
GRANT USAGE ON SCHEMA procedures, regions TO hub_serve;

CREATE TABLE procedures.procedure (
    code text PRIMARY KEY CHECK (code ~ '^[0-9A-Za-z][0-9A-Za-z-]{0,63}$'),
    name_zh text NOT NULL CHECK (name_zh <> ''),
    name_en text NOT NULL CHECK (name_en <> ''),
    agency text
);
COMMENT ON COLUMN procedures.procedure.agency IS 'unified social credit code of the agency that decides, if one does';

CREATE TABLE regions.region (
    code text PRIMARY KEY CHECK (code ~ '^([0-9]{6}|[0-9]{9}|[0-9]{12})$'),
    name text NOT NULL CHECK (name <> ''),
    parent text REFERENCES regions.region DEFERRABLE INITIALLY DEFERRED
);

CREATE FUNCTION procedures.changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('procedures', '');
    RETURN NULL;
END $$;

CREATE FUNCTION regions.changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('regions', '');
    RETURN NULL;
END $$;

CREATE TRIGGER procedure_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON procedures.procedure
FOR EACH STATEMENT EXECUTE FUNCTION procedures.changed();
CREATE TRIGGER region_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON regions.region
FOR EACH STATEMENT EXECUTE FUNCTION regions.changed();

GRANT SELECT ON ALL TABLES IN SCHEMA procedures, regions TO hub_serve;
