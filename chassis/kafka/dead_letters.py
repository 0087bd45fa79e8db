"""Where records go that no retry can help: the untouched original, and why and where beside it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

import structlog

from chassis.errors import Crash, NeverRetry
from chassis.kafka import telemetry
from chassis.kafka.fuse import Fuse
from chassis.kafka.publisher import Publisher, too_large
from chassis.kafka.settings import KafkaSettings
from chassis.messages import Headers, Record, dead_letter_topic

_log = structlog.get_logger(__name__)

MAX_BYTES = 20 * 1024 * 1024
"""Twice the largest record that any topic here takes."""
PREFIX = "__dlq.errors."
"""Of the headers that say why; the names after it are those of Apache Kafka (KIP-1034) and ours."""


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One record as it is written to a dead letter topic; null stays null."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: Headers


def dead_letter(record: Record, group: str, refusal: NeverRetry, failed_at: datetime) -> DeadLetter:
    """The original with the headers that say why; headers of an earlier dead-lettering are replaced."""
    reason = {
        "topic": record.topic,
        "partition": str(record.partition),
        "offset": str(record.offset),
        "group": group,
        "class": type(refusal.__cause__ or refusal).__name__,
        "code": refusal.code,
        "message": refusal.message,
        "first_failed_at": failed_at.isoformat(timespec="milliseconds"),
    }
    original = [header for header in record.headers if not header[0].startswith(PREFIX)]
    why = [(PREFIX + name, value.encode()) for name, value in reason.items()]
    return DeadLetter(dead_letter_topic(record.topic, group), record.key, record.value, (*original, *why))


class DeadLetters:
    """Writes dead letters through a producer of its own that takes values of up to 20 MiB.

    `put_all` returns after the acknowledgements, so the caller may commit. It raises PublishFailed when Kafka
    does not take them (back off and put them again: never skip them), and Crash when the fuse blows.
    """

    def __init__(self, settings: KafkaSettings, *, client_id: str, fuse: Fuse | None = None) -> None:
        roomy = settings.model_copy(update={"max_record_bytes": MAX_BYTES})
        self._publisher = Publisher(roomy, client_id=f"{client_id}-dlq")
        self._fuse = fuse or Fuse()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._publisher.close()

    def good(self, records: int) -> None:
        """Tell the fuse that `records` were worked on."""
        self._fuse.good(records)

    def admit(self, records: int) -> None:
        """Ask the fuse whether `records` may be dead letters; raises Crash when they are too many."""
        self._fuse.admit(records)

    async def put_all(self, refused: Sequence[tuple[Record, NeverRetry]], group: str) -> None:
        """Write each record with its reason; repeated after a failure it writes again, and readers drop repeats."""
        failed_at = datetime.now(UTC)
        letters = [dead_letter(record, group, refusal, failed_at) for record, refusal in refused]
        for letter in letters:
            if refusal := too_large(letter, MAX_BYTES):
                raise Crash(f"a dead letter does not fit: {refusal.message}")
        await self._publisher.write_all(letters)
        for record, refusal in refused:
            telemetry.count_dead_lettered(group, record.topic, refusal.code)
            _log.warning(
                "record_dead_lettered",
                topic=record.topic,
                partition=record.partition,
                offset=record.offset,
                group=group,
                code=refusal.code,
            )
