-- migrate:up

-- What the replicas saw of each account that delivers by itself: coverage is judged from it, by one of them.
create table heartbeat (
    integration text primary key,
    verified_at timestamptz,
    refusals integer not null default 0,
    refused_since timestamptz,
    refused_at timestamptz,
    check ((refusals = 0) = (refused_since is null)),
    check ((refusals = 0) = (refused_at is null))
);

comment on column heartbeat.verified_at is 'When a delivery came last whose signature was good.';
comment on column heartbeat.refusals is 'How many came since then that were signed with no live secret.';

alter table coverage drop constraint coverage_reason_check;
alter table coverage add constraint coverage_reason_check check (
    reason in ('SILENT', 'AUTH_FAILED', 'CLOSED', 'UNREACHABLE', 'RATE_LIMITED', 'DISABLED', 'UNUSABLE'));

-- migrate:down
