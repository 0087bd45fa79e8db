-- migrate:up

-- The idempotent receiver's memory: which events a consumer has handled.
create table inbox (
    consumer text not null,
    event_id uuid not null,
    received_at timestamptz not null default now(),
    primary key (consumer, event_id)
);

-- Pruning reads by age only, and rows arrive in the order of their age: the smallest index that serves.
create index inbox_received_at on inbox using brin (received_at);

-- One row per post as its highest ranking change left it; a deleted one stays as a tombstone.
create table post (
    post_name text primary key,
    tenant text not null,
    event_id uuid not null,
    post_event_id uuid not null,
    revision integer not null check (revision >= 1),
    state text not null check (state in ('live', 'edited', 'deleted')),
    direction text not null check (direction in ('inbound', 'own')),
    category text not null check (category in ('question', 'complaint', 'feedback', 'other')),
    decision text not null check (decision in ('assigned', 'abstained', 'rule')),
    network text not null,
    language text not null,
    integration text not null,
    heard_at timestamptz not null,
    event_time timestamptz not null,
    evidence bytea,
    check ((evidence is null) = (state = 'deleted' or direction = 'own'))
);

comment on column post.event_id is 'The CloudEvents id of the classification that stands.';
comment on column post.post_event_id is 'The event id of the change that was classified.';
comment on column post.language is 'BCP 47 primary subtag; und where it is not known.';
comment on column post.event_time is 'When the network says it was written, else when it was heard.';
comment on column post.evidence is
    'ascolto.insights.v1.PostEvidence: the only place of this schema that holds what people said. '
    'Null where the post is the brand''s own or gone, and then it counts for nothing.';

-- Newest first, page by page; half open ranges of time.
create index post_newest on post (tenant, event_time desc, post_name desc) where evidence is not null;

-- How many posts stand in each cell: always equal to the aggregate of `post`; a cell of none has no row.
create table volume (
    tenant text not null,
    hour timestamptz not null,
    category text not null,
    network text not null,
    language text not null,
    triage boolean not null,
    post_count bigint not null check (post_count > 0),
    primary key (tenant, hour, category, network, language, triage)
);

-- Which posts the brand has answered. A table of its own, because the answer may be read before the post.
create table answer (
    post_name text not null,
    reply_name text not null,
    tenant text not null,
    primary key (post_name, reply_name)
);

-- What was learnt, in the order in which it became visible. Holds nothing that people said: a reader gets that from
-- `post` as long as it stands.
create table insight (
    seq bigint generated always as identity primary key,
    tenant text not null,
    event_id uuid not null unique,
    event_time timestamptz not null,
    post_name text,
    network text,
    category text,
    was_category text,
    language text,
    was_language text,
    triage boolean,
    was_triage boolean,
    payload bytea not null
);

comment on column insight.was_category is 'What an edit moved the post away from; null where there was nothing before.';
comment on column insight.payload is 'ascolto.insights.v1.Insight without utterance.';

create index insight_tenant_seq on insight (tenant, seq);

-- One row: which run of the log this is, and up to when it is whole.
create table insight_log (
    only_row boolean primary key default true check (only_row),
    epoch bigint not null default 1,
    complete_through timestamptz
);

comment on column insight_log.epoch is 'Grows with each rebuild; cursors of an earlier one start again.';
comment on column insight_log.complete_through is
    'Everything that came into the log of posts up to this time is in the read models; null where it is not known.';

insert into insight_log default values;

-- migrate:down
