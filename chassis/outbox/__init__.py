"""The transactional outbox: events are written with the state they tell of, then relayed to Kafka in order."""

from chassis.outbox.relay import Relay
from chassis.outbox.rows import columns_of, read_headers
from chassis.outbox.settings import RelaySettings
from chassis.outbox.shards import SHARDS, shard_of
from chassis.outbox.worker import Publisher
from chassis.outbox.writer import ENQUEUE_ROWS, enqueue

__all__ = [
    "ENQUEUE_ROWS",
    "SHARDS",
    "Publisher",
    "Relay",
    "RelaySettings",
    "columns_of",
    "enqueue",
    "read_headers",
    "shard_of",
]
