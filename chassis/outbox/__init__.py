"""The transactional outbox: events are written with the state they tell of, then relayed to Kafka in order."""

from chassis.outbox.relay import Relay
from chassis.outbox.settings import RelaySettings
from chassis.outbox.shards import SHARDS, shard_of
from chassis.outbox.worker import Publisher
from chassis.outbox.writer import enqueue

__all__ = ["SHARDS", "Publisher", "Relay", "RelaySettings", "enqueue", "shard_of"]
