-- migrate:up

-- One row per change of a post that was ever accepted: the dedupe key, and what the ledger counts.
-- It holds no text and no names: what was said stands in the log, which is the truth of it.
create table post (
    event_id uuid primary key,
    post_id uuid not null,
    tenant text not null,
    integration text not null,
    conversation text not null,
    network text not null,
    change text not null check (change in ('created', 'edited', 'deleted')),
    revision integer not null check (revision >= 1),
    event_time timestamptz,
    accepted_at timestamptz not null default now()
);

comment on column post.event_id is 'The CloudEvents id; equal for every redelivery of the same change.';
comment on column post.conversation is 'The opaque conversation id, which is the key of the record.';
comment on column post.event_time is 'When the network says it was written; null where it does not say.';

create index post_tenant_accepted_at on post (tenant, accepted_at);

-- The transactional outbox: what a transaction promised to publish.
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

-- migrate:down
