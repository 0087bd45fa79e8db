-- migrate:up

-- A busy thread has many posts and few that still count: what a batch needs of it is found without reading the rest.
create index post_open on post (tenant, conversation, author, learned_at desc)
    where is_current and not closed and not own;
create index post_native on post (tenant, conversation, native_id);

-- migrate:down
