-- The log of look-ups: entries by month that nobody changes, and beside them what can be erased.

-- canonical is the whole entry (RFC 8785 JSON); the other columns repeat what look-ups are found by.
CREATE TABLE audit.entry (
    at timestamptz NOT NULL,
    id uuid NOT NULL,
    inquiry uuid NOT NULL,
    kind text NOT NULL CHECK (kind IN ('intent', 'subjects', 'outcome')),
    client text CHECK ((client IS NULL) = (kind <> 'intent')),
    canonical bytea NOT NULL,
    PRIMARY KEY (inquiry, id, at)
) PARTITION BY RANGE (at);
CREATE INDEX entry_intent ON audit.entry (at) WHERE kind = 'intent';
CREATE INDEX entry_client ON audit.entry (client, at) WHERE kind = 'intent';

-- What finds a subject's entries and opens its commitments. Erasing a row leaves its entry as it was.
CREATE TABLE audit.subject (
    at timestamptz NOT NULL,
    entry uuid NOT NULL,
    place integer NOT NULL CHECK (place > 0),
    inquiry uuid NOT NULL,
    key_version integer NOT NULL CHECK (key_version > 0),
    pseudonym bytea NOT NULL CHECK (octet_length(pseudonym) = 32),
    salt bytea NOT NULL CHECK (octet_length(salt) = 32),
    PRIMARY KEY (inquiry, entry, place, at)
) PARTITION BY RANGE (at);
CREATE INDEX subject_pseudonym ON audit.subject (pseudonym, at);

CREATE FUNCTION audit.refuse_change() RETURNS trigger LANGUAGE plpgsql SET search_path = '' AS $$
BEGIN
    RAISE EXCEPTION 'an entry of the log is never changed' USING ERRCODE = 'insufficient_privilege';
END
$$;

CREATE TRIGGER entry_is_final BEFORE UPDATE OR DELETE ON audit.entry
FOR EACH ROW EXECUTE FUNCTION audit.refuse_change();
CREATE TRIGGER entry_is_kept BEFORE TRUNCATE ON audit.entry
FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse_change();

-- Makes the partitions of the month of a day and of the following ones; returns how many were missing.
-- They are attached, not created in place: that needs no lock that would stop the writing of entries.
CREATE FUNCTION audit.make_partitions(first_day date, months integer) RETURNS integer
LANGUAGE plpgsql SET search_path = '' AS $$
DECLARE
    parent text;
    child text;
    month timestamp;
    made integer := 0;
BEGIN
    PERFORM pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtextextended('audit.make_partitions', 0));
    FOR step IN 0 .. months - 1 LOOP
        month := pg_catalog.date_trunc('month', first_day::timestamp) + pg_catalog.make_interval(months => step);
        FOREACH parent IN ARRAY ARRAY['entry', 'subject'] LOOP
            child := parent || pg_catalog.to_char(month, '_YYYY_MM');
            CONTINUE WHEN pg_catalog.to_regclass('audit.' || child) IS NOT NULL;
            EXECUTE pg_catalog.format('CREATE TABLE audit.%I (LIKE audit.%I INCLUDING ALL)', child, parent);
            IF parent = 'entry' THEN
                EXECUTE pg_catalog.format(
                    'CREATE TRIGGER entry_is_kept BEFORE TRUNCATE ON audit.%I '
                    'FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse_change()', child);
            END IF;
            EXECUTE pg_catalog.format(
                'ALTER TABLE audit.%I ATTACH PARTITION audit.%I FOR VALUES FROM (%L) TO (%L)', parent, child,
                pg_catalog.to_char(month, 'YYYY-MM-DD') || ' 00:00:00+00',
                pg_catalog.to_char(month + pg_catalog.make_interval(months => 1), 'YYYY-MM-DD')
                || ' 00:00:00+00');
            made := made + 1;
        END LOOP;
    END LOOP;
    RETURN made;
END
$$;
REVOKE ALL ON FUNCTION audit.make_partitions(date, integer) FROM PUBLIC;

-- The month before is for a machine whose clock is slow; the worker keeps a year ahead.
SELECT audit.make_partitions((now() AT TIME ZONE 'UTC' - interval '1 month')::date, 8);

GRANT SELECT, INSERT ON audit.entry, audit.subject TO hub_serve;
