-- The rooms of the database, the group role that serves, and the keys that sign.
-- The owner of this schema migrates; hub_serve (NOLOGIN) is what serving roles are members of.

do $$
begin
    if not exists (select from pg_catalog.pg_roles where rolname = 'hub_serve') then
        create role hub_serve nologin;
    end if;
end
$$;

create schema if not exists kernel;
create schema audit;
create schema clients;
create schema catalogue;
create schema procedures;
create schema grants;
create schema regions;

grant usage on schema kernel, audit, clients, catalogue, procedures, grants, regions to hub_serve;
grant select on kernel.migration to hub_serve;

-- The private part is sealed under the master key, which is never in the database.
create table kernel.signing_key (
    kid text primary key,
    use text not null check (use in ('receipt', 'token')),
    algorithm text not null,
    public_jwk text not null,
    sealed_private bytea not null,
    created_at timestamptz not null default now(),
    retired_at timestamptz
);

create unique index signing_key_one_active on kernel.signing_key (use) where retired_at is null;

-- Serving makes a missing key; retiring one is the owner's.
grant select, insert on kernel.signing_key to hub_serve;
