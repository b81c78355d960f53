-- The rows of files that agencies hand over: sealed, found by pseudonym, one load an offering answered with.

CREATE SCHEMA staging;
GRANT USAGE ON SCHEMA staging TO hub_serve;

CREATE SEQUENCE staging.load_number;

CREATE TABLE staging.load (
    id bigint PRIMARY KEY,
    connector text NOT NULL,
    offering text NOT NULL,
    mapping text NOT NULL,
    state text NOT NULL CHECK (state IN ('serving', 'waiting', 'refused', 'rejected', 'replaced')),
    file text NOT NULL,
    sha256 text NOT NULL,
    stamp text NOT NULL,
    as_of timestamptz NOT NULL,
    total bigint NOT NULL CHECK (total >= 0),
    bad bigint NOT NULL CHECK (bad >= 0),
    reasons jsonb NOT NULL,
    sealed_key bytea,
    came_at timestamptz NOT NULL DEFAULT now(),
    decided_by text,
    decided_at timestamptz,
    CHECK ((sealed_key IS NOT NULL) = (state IN ('serving', 'waiting')))
);
COMMENT ON COLUMN staging.load.mapping IS 'digest of what decided which rows the file became';
COMMENT ON COLUMN staging.load.stamp IS 'by which a file in a watched folder is known again without reading it';
COMMENT ON COLUMN staging.load.total IS 'rows';
COMMENT ON COLUMN staging.load.bad IS 'all that was wrong; reasons lists the first of it, never a value';
COMMENT ON COLUMN staging.load.sealed_key IS 'opens the rows of this load, and goes with them';
CREATE UNIQUE INDEX load_one_serving ON staging.load (connector, offering) WHERE state = 'serving';
CREATE UNIQUE INDEX load_one_waiting ON staging.load (connector, offering) WHERE state = 'waiting';
CREATE INDEX load_of_offering ON staging.load (connector, offering, id);

CREATE TABLE staging.row (
    load bigint NOT NULL,
    subject bytea NOT NULL,
    line bigint NOT NULL,
    sealed bytea NOT NULL,
    PRIMARY KEY (load, subject, line)
);
COMMENT ON COLUMN staging.row.subject IS 'keyed pseudonym of the key, another for each offering';

-- Whoever serves answers from it; whoever loads does so as the owner.
GRANT SELECT ON staging.load, staging.row TO hub_serve;
