-- migrate:up

-- A configured language model is asked where the cascade abstains, and a candidate is the cascade alone.
alter table reclassification_run add column stands_by_language_model bigint not null default 0;
comment on column reclassification_run.stands_by_language_model is
    'Never promoted: a language model decided, and the candidate abstains, as the cascade did before it was asked.';

alter table reclassification_result add column stands_by_language_model boolean not null default false;
comment on column reclassification_result.stands_by_language_model is
    'A language model decided, and the candidate abstains: nothing that differs.';

-- A rebuild folds every revision again: the words go with the text that held them, and not before it came back.
create or replace function forget_candidates() returns trigger language plpgsql set search_path from current as $$
begin
    update reclassification_result set payload = null
    where post_name = new.post_name and payload is not null and (new.deleted or revision < new.revision);
    return null;
end
$$;

-- migrate:down
