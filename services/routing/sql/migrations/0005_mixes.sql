-- migrate:up

-- A run that goes on under other mixes would tell of two candidates as one.
alter table reclassification_run add column mixes text not null default '';
comment on column reclassification_run.mixes is
    'Digest of the mixes that the candidate is told; empty where it is told those that what stands was decided under.';

-- migrate:down
