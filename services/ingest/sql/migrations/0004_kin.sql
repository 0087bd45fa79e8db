-- migrate:up

-- A reply, an edit or a deletion whose network does not tell its thread joins the conversation of its kin.
create index post_post_id on post (post_id, accepted_at);

-- migrate:down
