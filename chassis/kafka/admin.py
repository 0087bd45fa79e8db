"""Kafka's administration: which topics exist, making those that should, and how far groups have come."""

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError, TopicAlreadyExistsError, for_code
from aiokafka.structs import OffsetAndMetadata, TopicPartition

from chassis.kafka.errors import KafkaUnreachable, TopicsDiffer, TopicsMissing
from chassis.kafka.progress import Position
from chassis.kafka.refused import heed_refusals
from chassis.kafka.settings import KafkaSettings

_CLIENT_ID = "chassis-admin"
_POLL_SECONDS = 0.25
_VISIBLE_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class TopicSpec:
    """A topic as it should be; `config` holds Kafka's own names (`retention.ms`, `max.message.bytes`, ...)."""

    name: str
    partitions: int
    replication_factor: int = 1
    config: Mapping[str, str] = field(default_factory=dict)


async def ensure_topics(settings: KafkaSettings, specs: Sequence[TopicSpec]) -> None:
    """Create the topics that are missing, then verify all of them; safe to repeat and to run at the same time.

    An existing topic is never changed: TopicsDiffer names each difference, and a person decides.
    """
    async with _admin(settings) as admin:
        existing = await admin.list_topics()
        await _create(admin, [spec for spec in specs if spec.name not in existing])
        await _until_visible(admin, {spec.name for spec in specs})
        counts = await _partition_counts(admin, [spec.name for spec in specs], deadline=monotonic() + _VISIBLE_SECONDS)
        differences = [line for spec in specs for line in await _differences(admin, spec, counts[spec.name])]
    if differences:
        raise TopicsDiffer("; ".join(differences))


async def require_topics(settings: KafkaSettings, names: Collection[str]) -> dict[str, int]:
    """The number of partitions of each topic.

    Raises TopicsMissing unless every topic exists, KafkaUnreachable when no broker answers for all of them in time.
    """
    async with _admin(settings) as admin:
        if missing := sorted(set(names) - set(await admin.list_topics())):
            raise TopicsMissing(
                f"Kafka at {', '.join(settings.bootstrap_servers)} has no topic {', '.join(missing)}: nothing is "
                "created by itself, so create it (ensure_topics, or its KafkaTopic manifest) and start again"
            )
        return await _partition_counts(admin, names, deadline=monotonic() + settings.connect_timeout_seconds)


async def committed_offsets(settings: KafkaSettings, group: str) -> dict[Position, int]:
    """(topic, partition) -> the offset that `group` continues from; partitions without a commit are absent.

    Raises KafkaUnreachable when no broker answers for the group in time.
    """
    async with _admin(settings) as admin:
        found = await _offsets_of(admin, group, deadline=monotonic() + settings.connect_timeout_seconds)
    return {(at.topic, at.partition): committed.offset for at, committed in found.items()}


async def _offsets_of(
    admin: AIOKafkaAdminClient, group: str, *, deadline: float
) -> dict[TopicPartition, OffsetAndMetadata]:
    while True:
        try:
            found: dict[TopicPartition, OffsetAndMetadata] = await admin.list_consumer_group_offsets(group)
        except KafkaError as error:
            if not error.retriable or monotonic() > deadline:
                raise KafkaUnreachable(
                    f"no broker tells how far group {group} has come ({error}): see that every broker is up, "
                    "and the topic __consumer_offsets with them"
                ) from error
            await asyncio.sleep(_POLL_SECONDS)
        else:
            return found


async def _partition_counts(admin: AIOKafkaAdminClient, names: Collection[str], *, deadline: float) -> dict[str, int]:
    """Each answer comes from any broker: one that does not know a topic yet tells an error and no partitions of it."""
    while True:
        topics = await admin.describe_topics(list(names))
        untold = sorted(topic["topic"] for topic in topics if topic["error_code"] or not topic["partitions"])
        if not untold:
            return {topic["topic"]: len(topic["partitions"]) for topic in topics}
        if monotonic() > deadline:
            raise KafkaUnreachable(
                f"the topics are listed, but a broker does not tell the partitions of {', '.join(untold)}: "
                "see that every broker is up and agrees with the others, and start again"
            )
        await asyncio.sleep(_POLL_SECONDS)


async def _create(admin: AIOKafkaAdminClient, specs: Sequence[TopicSpec]) -> None:
    if not specs:
        return
    response = await admin.create_topics(
        [NewTopic(s.name, s.partitions, s.replication_factor, topic_configs=dict(s.config)) for s in specs]
    )
    for outcome in response.to_object()["topic_errors"]:
        error = for_code(outcome["error_code"])
        if outcome["error_code"] and error is not TopicAlreadyExistsError:
            detail = outcome.get("error_message") or error.__name__
            raise TopicsDiffer(f"topic {outcome['topic']} cannot be created: {detail}")


async def _until_visible(admin: AIOKafkaAdminClient, names: set[str]) -> None:
    deadline = monotonic() + _VISIBLE_SECONDS
    while missing := names - set(await admin.list_topics()):
        if monotonic() > deadline:
            raise TopicsMissing(f"created, but no broker knows them yet: {', '.join(sorted(missing))}")
        await asyncio.sleep(_POLL_SECONDS)


async def _differences(admin: AIOKafkaAdminClient, spec: TopicSpec, partitions: int) -> list[str]:
    found = []
    if partitions != spec.partitions:
        found.append(f"topic {spec.name} has {partitions} partitions, not {spec.partitions}")
    config = await _config(admin, spec.name) if spec.config else {}
    found += [
        f"topic {spec.name} has {name}={config.get(name)}, not {wanted}"
        for name, wanted in spec.config.items()
        if config.get(name) != wanted
    ]
    return found


async def _config(admin: AIOKafkaAdminClient, topic: str) -> dict[str, str]:
    [response] = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, topic)])
    [resource] = response.to_object()["resources"]
    entries: list[dict[str, Any]] = resource["config_entries"]
    return {entry["config_names"]: entry["config_value"] for entry in entries}


@asynccontextmanager
async def _admin(settings: KafkaSettings) -> AsyncIterator[AIOKafkaAdminClient]:
    admin = await _connect(settings)
    try:
        yield admin
    finally:
        await admin.close()


async def _connect(settings: KafkaSettings) -> AIOKafkaAdminClient:
    deadline = monotonic() + settings.connect_timeout_seconds
    while True:
        admin = AIOKafkaAdminClient(**settings.connection(_CLIENT_ID))
        heed_refusals(admin._client)  # noqa: SLF001 - the only way to its answers
        try:
            await admin.start()
        except (KafkaError, OSError) as error:
            await admin.close()
            if monotonic() > deadline:
                raise KafkaUnreachable(
                    f"no Kafka broker answers at {', '.join(settings.bootstrap_servers)}: "
                    "start it, or set KAFKA_BOOTSTRAP_SERVERS to where it is"
                ) from error
            await asyncio.sleep(_POLL_SECONDS)
        else:
            return admin
