-- migrate:up

-- Read models: conversation, post, reply and draft_job are folded from the topics and may be rebuilt.
-- Systems of record: approval and delivery decide what may be sent and what was; nothing ever drops them.

-- One row per conversation: what its transactions lock first, so that its facts keep their order.
create table conversation (
    tenant text not null,
    conversation text not null,
    last_said_at timestamptz not null,
    primary key (tenant, conversation)
);

-- One row per change of a post, and what became of it.
create table post (
    event_id uuid primary key,
    tenant text not null,
    conversation text not null,
    post text not null,
    revision integer not null,
    edited boolean not null,
    deleted boolean not null,
    own boolean not null,
    author text not null,
    native_id text not null,
    native_parent_id text,
    said_at timestamptz not null,
    learned_at timestamptz not null,
    call text not null check (call in ('answer', 'feedback', 'chatter', 'triage')),
    category smallint not null,
    text_sha256 bytea not null,
    message bytea not null,
    traceparent text,
    outcome text not null check (outcome in ('due', 'drafted', 'not_due', 'triaged', 'superseded')),
    reason text,
    reply_id uuid,
    is_current boolean not null,
    closed boolean not null,
    received_at timestamptz not null default now()
);

comment on column post.event_id is 'The id of the PostReceived that ingest accepted (post_event_id).';
comment on column post.learned_at is 'The ce_time of the event: when we learned of it.';
comment on column post.message is 'The PostClassified, serialized.';
comment on column post.traceparent is 'The trace that the event came with; the draft links back to it.';
comment on column post.outcome is 'due waits for its draft; every other outcome is final.';
comment on column post.closed is 'Answered for good: a hint that spares looking at the row again.';

create index post_conversation on post (tenant, conversation, said_at);
create index post_post on post (post);
create index post_due on post (tenant, conversation) where outcome = 'due';

-- One row per reply: its facts folded.
create table reply (
    reply_id uuid primary key,
    tenant text not null,
    conversation text not null,
    correlation_id text not null,
    answers text[] not null,
    integration text not null,
    network text not null,
    kind text not null,
    native_thread_id text not null,
    native_parent_id text not null,
    state text not null,
    text text not null,
    text_sha256 bytea not null,
    language text not null,
    draft_version integer not null,
    evidence jsonb not null,
    drafter text not null,
    approvals_required integer not null,
    approvals jsonb not null,
    editor text,
    attempt integer not null,
    native_id text,
    detail text,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    change_seq bigint not null
);

comment on column reply.text_sha256 is 'Of the text without regard to case and spaces: recognises it when it comes back as a post.';
comment on column reply.change_seq is 'Position of the last change; becomes visible in order (see replies.py).';

create sequence reply_change as bigint;
create unique index reply_change_seq on reply (change_seq);
create index reply_queue on reply (tenant, state, created_at, reply_id);
create index reply_tenant_change on reply (tenant, change_seq);
create index reply_conversation on reply (tenant, conversation);

-- One row per draft that is wanted; gone once it is drafted, kept as failed when it cannot be.
create table draft_job (
    reply_id uuid primary key,
    tenant text not null,
    conversation text not null,
    author text not null,
    answers text[] not null,
    events uuid[] not null,
    learned_at timestamptz not null,
    state text not null default 'queued' check (state in ('queued', 'failed')),
    attempts integer not null default 0,
    available_at timestamptz not null default '-infinity',
    claim uuid,
    error_class text,
    unique (tenant, conversation, author)
);

comment on column draft_job.available_at is 'Not to be claimed before: the end of a lease or of a back-off.';
comment on column draft_job.claim is 'Whoever works on it; a result of any other claim is void.';

create index draft_job_available on draft_job (available_at, learned_at) where state = 'queued';

-- System of record: who approved what. The hash is the only thing that an approval releases.
create table approval (
    approval_id uuid primary key,
    reply_id uuid not null,
    draft_version integer not null,
    approver text not null,
    content_sha256 text not null,
    approved_at timestamptz not null,
    unique (reply_id, draft_version, approver)
);

comment on column approval.approval_id is 'The event id of the Approved fact.';

-- System of record: what is to be sent, is being sent, or was.
create table delivery (
    approval_id uuid primary key references approval,
    reply_id uuid not null,
    integration text not null,
    state text not null check (state in ('ready', 'sending', 'unknown', 'sent', 'failed', 'cancelled')),
    attempt integer not null default 0,
    failures integer not null default 0,
    lookups integer not null default 0,
    next_at timestamptz,
    lease_until timestamptz,
    native_id text,
    code text,
    updated_at timestamptz not null default now()
);

comment on column delivery.approval_id is 'The approval that completed the release: all that a sender is told.';
comment on column delivery.next_at is 'When something is to be done next (send, look up); null: a person decides.';

create index delivery_next on delivery (next_at) where state in ('ready', 'failed', 'unknown');
create index delivery_lease on delivery (lease_until) where state = 'sending';
create index delivery_reply on delivery (reply_id);
-- Whatever goes wrong above: the database itself refuses a second sent delivery of a reply.
create unique index delivery_sent_once on delivery (reply_id) where state = 'sent';

-- System of record: what visitors of the web chat were told; written together with the Sent fact.
create table chat_message (
    seq bigint generated always as identity primary key,
    reply_id uuid not null unique,
    tenant text not null,
    integration text not null,
    session text not null,
    text text not null,
    sent_at timestamptz not null
);

create index chat_message_session on chat_message (integration, session, seq);

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
