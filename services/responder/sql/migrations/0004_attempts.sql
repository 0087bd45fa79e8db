-- migrate:up

-- A text is not sent again where its conversation moved on while it was being sent.
alter table delivery add column attempted_at timestamptz;
-- Of attempts that began before: the lease was a minute long where nobody said otherwise.
update delivery set attempted_at = least(updated_at, lease_until - interval '1 minute')
    where lease_until is not null and state in ('sending', 'unknown', 'failed');
-- When it is written, which is under the locks of the replies that it may concern, and not when its batch began.
alter table post alter column received_at set default clock_timestamp();

comment on column delivery.attempted_at is 'When the last attempt began, by the clock of post.received_at.';

-- migrate:down
