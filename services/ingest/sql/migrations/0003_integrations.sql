-- migrate:up

-- The connected accounts that tenants manage themselves, beside those of the integrations file.
create table integration (
    id text primary key check (id ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
    tenant text not null,
    kind text not null check (kind in ('webhook', 'poll', 'stream', 'mailbox', 'web_chat', 'import')),
    network text,
    account text,
    url text,
    own_authors text[] not null default '{}',
    allowed_origins text[] not null default '{}',
    settings jsonb not null default '{}',
    secrets bytea[] not null default '{}' check (cardinality(secrets) <= 2),
    verify_token bytea,
    revision bigint not null default 1,
    disabled_at timestamptz,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
);

comment on column integration.id is 'It stands in addresses that networks deliver to, so no two tenants share one.';
comment on column integration.secrets is 'Sealed, the newest first; bound to tenant and id, so that a copied row opens nothing.';
comment on column integration.verify_token is 'Sealed as well.';
comment on column integration.revision is 'Grows with each change; the sum over all rows tells whether anything changed.';

create index integration_tenant_id on integration (tenant, id);

-- migrate:down
