-- migrate:up

-- What a person said of a post stands over what any model says of the same revision, whichever is read first.
alter table post add column authority text not null default 'model' check (authority in ('model', 'person'));
alter table post alter column authority drop default;
alter table post add column decided_at timestamptz;
update post set decided_at = heard_at;
alter table post alter column decided_at set not null;
alter table post drop constraint post_decision_check;
alter table post add constraint post_decision_check check (decision in ('assigned', 'abstained', 'rule', 'corrected'));

-- A correction does not know when its post was heard: the earliest word about a revision tells.
alter table post add column dated boolean;
update post set dated = (event_time <> heard_at);
alter table post alter column dated set not null;

comment on column post.authority is 'Who decided the category: of two decisions on one revision a person''s stands.';
comment on column post.decided_at is 'When it was decided: of two by the same authority the later one stands.';
comment on column post.heard_at is 'The earliest time of all that was read about the revision.';
comment on column post.dated is 'Whether the network says when it was written; else event_time is heard_at.';
comment on column insight.was_category is
    'What an edit or a correction moved the post away from; null where there was nothing before.';
comment on column insight.payload is 'ascolto.insights.v1.Insight without utterance; its time is event_time.';

-- migrate:down
