"""Makes the catalogue's topics exist on a broker, dead letters included."""

from chassis.kafka import KafkaSettings
from chassis.kafka.admin import TopicSpec, ensure_topics
from contracts.topics import DEAD_LETTER_CONFIG, TOPICS


def specifications(replication_factor: int = 1) -> list[TopicSpec]:
    """What the broker must hold: each topic and its dead letter topics."""
    topics = [TopicSpec(each.name, each.partitions, replication_factor, dict(each.config)) for each in TOPICS]
    dead_letters = [
        TopicSpec(name, 1, replication_factor, dict(DEAD_LETTER_CONFIG))
        for each in TOPICS
        for name in each.dead_letters()
    ]
    return topics + dead_letters


async def ensure_catalogue(bootstrap_servers: str, replication_factor: int = 1) -> None:
    """Create what is missing; raises where a topic exists with fewer partitions than the catalogue says."""
    settings = KafkaSettings(bootstrap_servers=tuple(bootstrap_servers.split(",")))
    await ensure_topics(settings, specifications(replication_factor))
