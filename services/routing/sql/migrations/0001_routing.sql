-- migrate:up

-- Read models: decision and judgement are folded from the topics and may be rebuilt.
-- System of record: label is what people said of posts; nothing ever drops it.

-- One row per post: what stands of all that was ever decided about it.
create table decision (
    post_name text primary key,
    tenant text not null,
    conversation text not null,
    network text not null,
    language text not null,
    revision integer not null check (revision >= 1),
    deleted boolean not null,
    authority text not null check (authority in ('model', 'person')),
    decided_at timestamptz not null,
    event_id uuid not null,
    category text not null check (category in ('question', 'complaint', 'feedback', 'other')),
    kind text not null,
    decision text not null check (decision in ('assigned', 'abstained', 'rule', 'corrected')),
    stage text not null check (stage in ('none', 'linear', 'encoder', 'language_model', 'person')),
    model text,
    probability real,
    heard_at timestamptz not null,
    priority_at timestamptz not null,
    payload bytea,
    corrected_by text,
    correction_reason text,
    check (deleted = (payload is null)),
    check (deleted or (authority = 'person') = (decision = 'corrected'))
);

comment on column decision.conversation is 'The key of the records of the post.';
comment on column decision.language is 'BCP 47 primary subtag; und where it is not known.';
comment on column decision.authority is
    'Of two decisions on one revision a person''s stands over a model''s; the words sort that way.';
comment on column decision.decided_at is 'The ce_time of the event that stands.';
comment on column decision.kind is 'unspecified where there is none.';
comment on column decision.probability is 'Of the category that stands, as the model saw it; null where none was asked.';
comment on column decision.heard_at is
    'When ingest accepted the revision; of one that was corrected before it was read, when it was corrected.';
comment on column decision.priority_at is 'heard_at less the head start of its priority: the order of triage.';
comment on column decision.payload is
    'PostClassified: the only place of this schema that holds what people said. Null where the post is gone.';

create index decision_triage on decision (tenant, priority_at, post_name) where decision = 'abstained' and not deleted;
create index decision_heard_at on decision (heard_at);

-- Every judgement of every post, for whoever asks how it came to be what it is. Holds nothing that people said.
create table judgement (
    event_id uuid primary key,
    post_name text not null,
    revision integer not null,
    deleted boolean not null,
    authority text not null,
    decided_at timestamptz not null,
    payload bytea not null,
    corrected_by text,
    correction_reason text
);

comment on column judgement.payload is 'PostClassified without post, and without the words that spoke for it.';

create index judgement_post on judgement (post_name);

-- System of record: what people say that posts are. Stands over every model, and over later revisions of the post.
create table label (
    post_name text primary key,
    tenant text not null,
    id uuid not null unique,
    category text not null check (category in ('question', 'complaint', 'feedback', 'other')),
    kind text,
    reason text not null,
    corrected_by text not null,
    corrected_at timestamptz not null,
    revision integer not null
);

comment on column label.kind is 'Null where the person gave none: the model''s stands where it is of the category.';
comment on column label.revision is 'Of the post, when it was labelled.';

create index label_tenant on label (tenant, corrected_at);

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

-- The idempotent receiver's memory: which events a consumer has handled.
create table inbox (
    consumer text not null,
    event_id uuid not null,
    received_at timestamptz not null default now(),
    primary key (consumer, event_id)
);

create index inbox_received_at on inbox using brin (received_at);

-- Answers that were given to mutations, so that a repeated request_id gets the same one.
create table request (
    principal text not null,
    request_id uuid not null,
    method text not null,
    body_sha256 bytea not null,
    response bytea,
    created_at timestamptz not null default now(),
    primary key (principal, request_id)
);

create index request_created_at on request (created_at);

-- migrate:down
