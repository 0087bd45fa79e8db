-- The transactional outbox: what a transaction promised to publish. Paste into a service's first migration.
create table outbox (
    id bigint generated always as identity primary key,
    shard smallint not null,
    topic text not null,
    key bytea not null,
    value bytea not null,
    headers json not null,
    created_at timestamptz not null default now()
) with (
    -- Rows live for milliseconds: vacuum by count, or the relay wades through the dead ones.
    autovacuum_vacuum_scale_factor = 0.0,
    autovacuum_vacuum_threshold = 5000
);

create index outbox_shard_id on outbox (shard, id);
