-- migrate:up

-- How each connected account stood when it was last told of: what the counts cannot hold.
create table coverage (
    tenant text not null,
    integration text not null,
    network text not null,
    hears boolean not null,
    since timestamptz not null,
    event_id uuid not null,
    payload bytea not null,
    primary key (tenant, integration)
);

comment on column coverage.hears is 'False: a gap, which every count of the network must name.';
comment on column coverage.payload is 'ascolto.coverage.v1.CoverageChanged.';

-- migrate:down
