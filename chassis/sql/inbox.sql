-- The idempotent receiver's memory: which events a consumer has handled. Paste into a service's first migration.
create table inbox (
    consumer text not null,
    event_id uuid not null,
    received_at timestamptz not null default now(),
    primary key (consumer, event_id)
);

-- Pruning reads by age only, and rows arrive in the order of their age: the smallest index that serves.
create index inbox_received_at on inbox using brin (received_at);
