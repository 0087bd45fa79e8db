-- migrate:up

-- What waits is a handful of all that ever was.
create index reply_pending on reply (updated_at) where state = 'PENDING';
create index reply_waiting on reply (state) where state in ('PENDING', 'APPROVED', 'SENDING', 'UNRESOLVED');

-- migrate:down
