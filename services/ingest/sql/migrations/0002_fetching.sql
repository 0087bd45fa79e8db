-- migrate:up

-- How far each polled, streamed or read account was heard. A position moves only after what lies before it was kept.
create table cursor (
    integration text primary key,
    position bytea not null,
    updated_at timestamptz not null default now()
);

comment on column cursor.position is 'Opaque: the fetcher of the network wrote it, and it alone reads it.';

-- Whether each of them hears, and what that was decided from.
create table coverage (
    integration text primary key,
    tenant text not null,
    reason text check (reason in ('SILENT', 'AUTH_FAILED', 'CLOSED', 'UNREACHABLE', 'RATE_LIMITED')),
    gap_since timestamptz,
    listening_since timestamptz not null,
    heard_at timestamptz,
    checked_at timestamptz,
    failing_since timestamptz,
    failure text check (failure in ('SILENT', 'AUTH_FAILED', 'CLOSED', 'UNREACHABLE', 'RATE_LIMITED')),
    updated_at timestamptz not null default now(),
    check ((reason is null) = (gap_since is null)),
    check ((failure is null) = (failing_since is null))
);

comment on column coverage.reason is 'The gap that CoverageChanged told of last; null: the integration hears.';
comment on column coverage.failure is 'The last failure since the last success, which may not be a gap yet.';

-- migrate:down
