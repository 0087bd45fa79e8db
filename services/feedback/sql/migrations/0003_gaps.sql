-- migrate:up

-- What of the past was not heard and never will be: counts of that time miss it for good.
create table coverage_gap (
    event_id uuid primary key,
    tenant text not null,
    integration text not null,
    network text not null,
    began_at timestamptz not null,
    ended_at timestamptz not null,
    payload bytea not null
);

comment on column coverage_gap.payload is 'ascolto.coverage.v1.CoverageChanged.';

create index coverage_gap_tenant_ended_at on coverage_gap (tenant, ended_at);

-- A silence begins in the past, before changes that were told earlier: what was told last stands.
alter table coverage add column told_at timestamptz;
update coverage set told_at = since;
alter table coverage alter column told_at set not null;

-- migrate:down
