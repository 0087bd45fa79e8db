-- migrate:up

-- One candidate model's way over the history of a tenant. Rows stay as the record of what was promoted and discarded.
create table reclassification_run (
    id uuid primary key,
    tenant text not null,
    model text not null,
    since timestamptz,
    state text not null check (state in ('running', 'done', 'promoting', 'promoted', 'discarded')),
    cursor text not null,
    judged bigint not null default 0,
    labelled bigint not null default 0,
    differing bigint not null default 0,
    promoted bigint not null default 0,
    left_revised bigint not null default 0,
    left_labelled bigint not null default 0,
    left_equal bigint not null default 0,
    started_at timestamptz not null,
    done_at timestamptz,
    ended_at timestamptz
);

comment on column reclassification_run.model is 'The candidate: models/{id}@{version}.';
comment on column reclassification_run.since is 'Posts that were heard before are left out; null: none is.';
comment on column reclassification_run.cursor is
    'The name of the last post that was judged, and while the run is promoted of the last that was looked at.';
comment on column reclassification_run.labelled is 'Of those judged, how many a person had labelled.';
comment on column reclassification_run.differing is
    'Of those judged that no person had labelled, how many the candidate decides otherwise.';
comment on column reclassification_run.left_revised is 'Not promoted: the post is another one by now, or gone.';
comment on column reclassification_run.left_labelled is 'Not promoted: a person has labelled the post meanwhile.';
comment on column reclassification_run.left_equal is 'Not promoted: what stands is what the candidate says by now.';

-- Who runs a candidate decides about it before the next one.
create unique index reclassification_run_open on reclassification_run (tenant)
    where state in ('running', 'done', 'promoting');
create index reclassification_run_tenant on reclassification_run (tenant, started_at);

-- What the candidate says of each post, beside what stood of it. Gone once the run is promoted or discarded.
create table reclassification_result (
    run uuid not null references reclassification_run,
    post_name text not null,
    revision integer not null,
    language text not null,
    network text not null,
    label text,
    was_category text,
    was_decision text not null,
    was_kind text not null,
    category text not null,
    decision text not null,
    kind text not null,
    probability real,
    differs boolean not null,
    payload bytea,
    primary key (run, post_name)
);

comment on column reclassification_result.label is 'The category that a person says; null where nobody did.';
comment on column reclassification_result.was_category is
    'What stood; of a labelled post what the model thought, null where no model was asked.';
comment on column reclassification_result.differs is 'The candidate decides otherwise, and no person has spoken.';
comment on column reclassification_result.payload is
    'Classification by the candidate, with the words that spoke for it; null where nothing differs, and where the text is gone.';

create index reclassification_result_payload on reclassification_result (post_name) where payload is not null;

-- The words go with the text that held them, whoever takes it away.
create function forget_candidates() returns trigger language plpgsql set search_path from current as $$
begin
    update reclassification_result set payload = null
    where post_name = new.post_name and payload is not null and (new.deleted or revision <> new.revision);
    return null;
end
$$;

create trigger decision_revised after update on decision for each row
    when ((old.deleted, old.revision) is distinct from (new.deleted, new.revision))
    execute function forget_candidates();

-- A rebuild inserts what it finds, which may be later than what stood before.
create trigger decision_rebuilt after insert on decision for each row
    when (new.deleted or new.revision > 1)
    execute function forget_candidates();

-- The way of a run through the posts of one tenant.
create index decision_tenant on decision (tenant, post_name) where decision <> 'rule' and not deleted;

-- migrate:down
