-- migrate:up

-- The rules that counted last for each tenant: a process that starts beside a bad file takes them.
create table rules_in_force (
    tenant text primary key,
    content bytea not null,
    sha256 bytea not null,
    loaded_at timestamptz not null
);

comment on column rules_in_force.content is 'The file, as it was when its rules were taken into force.';
comment on column rules_in_force.loaded_at is 'When a process first took this content into force.';

-- migrate:down
