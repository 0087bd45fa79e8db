"""Kafka as every process here uses it: batches in, batches out, dead letters beside, nothing lost between."""

from chassis.kafka.admin import TopicSpec, committed_offsets, ensure_topics
from chassis.kafka.broker import Broker, build_broker, running
from chassis.kafka.consume import consume_batches
from chassis.kafka.dead_letters import DeadLetters
from chassis.kafka.errors import (
    KafkaUnreachable,
    PublishFailed,
    PublishTimedOut,
    TopicsDiffer,
    TopicsMissing,
)
from chassis.kafka.fuse import Fuse
from chassis.kafka.pipe import pipe_batches
from chassis.kafka.progress import Progress
from chassis.kafka.publisher import Publisher
from chassis.kafka.reading import end_offsets, read_range
from chassis.kafka.retry import Backoff
from chassis.kafka.settings import KafkaSettings
from chassis.kafka.step import Prepared
from chassis.kafka.subscription import Subscription
from chassis.kafka.watching import watch
from chassis.messages import dead_letter_topic

__all__ = [
    "Backoff",
    "Broker",
    "DeadLetters",
    "Fuse",
    "KafkaSettings",
    "KafkaUnreachable",
    "Prepared",
    "Progress",
    "PublishFailed",
    "PublishTimedOut",
    "Publisher",
    "Subscription",
    "TopicSpec",
    "TopicsDiffer",
    "TopicsMissing",
    "build_broker",
    "committed_offsets",
    "consume_batches",
    "dead_letter_topic",
    "end_offsets",
    "ensure_topics",
    "pipe_batches",
    "read_range",
    "running",
    "watch",
]
