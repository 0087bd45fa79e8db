-- migrate:up

-- What a person said of a post stands over what any model says of the same change, whichever is read first.
alter table post add column authority text not null default 'model' check (authority in ('model', 'person'));
alter table post alter column authority drop default;
alter table post add column decided_at timestamptz;
alter table post add column classified_by uuid;
update post set decided_at = learned_at, classified_by = event_id;
alter table post alter column decided_at set not null;
alter table post alter column classified_by set not null;
alter table post drop constraint post_call_check;
alter table post add constraint post_call_check
    check (call in ('answer', 'feedback', 'chatter', 'triage', 'ruled_out'));

comment on column post.authority is 'Who decided the category: of two decisions on one change a person''s stands.';
comment on column post.decided_at is 'When it was decided: of two by the same authority the later one stands.';
comment on column post.classified_by is 'The event id of the classification or correction that stands.';
comment on column post.learned_at is 'The earliest ce_time of all that was read about the change.';
comment on column post.outcome is 'due waits for its draft; every other outcome stands until the post is corrected.';
comment on column post.reason is 'Why it gets no answer; "rule:" and the rules that fired, where they said so.';

-- The queue is worked off by deadline.
alter table reply add column respond_by timestamptz;
alter table reply add column due_at timestamptz;
update reply set due_at = created_at + interval '24 hours';
alter table reply alter column due_at set not null;
drop index reply_queue;
create index reply_queue on reply (tenant, state, due_at, reply_id);

comment on column reply.respond_by is 'The deadline that the tenant''s rules set; null where they set none.';
comment on column reply.due_at is 'respond_by, else a day after the draft was written.';

-- migrate:down
