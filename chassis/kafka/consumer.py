"""aiokafka's consumer, and what it has to be kept from: it loses records and positions when something goes wrong."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.consumer.fetcher import FetchResult
from aiokafka.errors import ConsumerStoppedError, CorruptRecordException, KafkaError, UnsupportedCodecError

from chassis.errors import Crash
from chassis.kafka.closing import close_wholly
from chassis.kafka.refused import heed_refusals

_UNREADABLE = (CorruptRecordException, UnsupportedCodecError)


class Consumer(AIOKafkaConsumer):  # type: ignore[misc]  # aiokafka is untyped
    """Reads nothing more once it met a record that it cannot read.

    By then aiokafka has drained other partitions and stands behind what it drained, and drops all of it with the
    exception: the next commit would be a loss. A consumer that starts anew starts from what was committed.
    """

    def __init__(self, *topics: str, **options: Any) -> None:  # noqa: ANN401 - aiokafka's own
        super().__init__(*topics, **options)
        self._is_stuck = False
        heed_refusals(self._client)
        _count_fetches_that_fail(self._subscription)

    async def getmany(
        self, *partitions: TopicPartition, timeout_ms: int = 0, max_records: int | None = None
    ) -> dict[TopicPartition, list[ConsumerRecord]]:
        """As aiokafka's; raises Crash at a record that cannot be read, and ConsumerStoppedError from then on."""
        if self._is_stuck:
            raise ConsumerStoppedError
        try:
            found: dict[TopicPartition, list[ConsumerRecord]] = await super().getmany(
                *partitions, timeout_ms=timeout_ms, max_records=max_records
            )
        except ConsumerStoppedError:
            raise
        except Exception as error:
            if isinstance(error, KafkaError) and not isinstance(error, _UNREADABLE):
                raise
            self._is_stuck = True
            raise self._crash(error) from error
        return found

    async def stop(self) -> None:
        """As aiokafka's, also while a broker is away."""
        await close_wholly(super().stop(), self._client)

    def _crash(self, error: Exception) -> Crash:
        advice = (
            f": nothing was committed past it; move the group {self._group_id} past its batch" if self._group_id else ""
        )
        return Crash(
            f"{self._place()}, or one of its batch, cannot be read ({type(error).__name__}: {error}). "
            f"Find out who wrote it{advice}"
        )

    def _place(self) -> str:
        """Where the record is: aiokafka lets go of what it has drained, so the first that is left is where it stuck."""
        for at, left in self._fetcher._records.items():  # noqa: SLF001 - nothing public tells it
            if isinstance(left, FetchResult) and left.has_more():
                return f"the record at offset {left._partition_records.next_fetch_offset} of {at.topic}[{at.partition}]"  # noqa: SLF001 - as above
        return "a record"


def _count_fetches_that_fail(subscriptions: Any) -> None:  # noqa: ANN401 - aiokafka's own
    """Let a fetch that raises or is cancelled be over.

    aiokafka counts it as going on for ever, and then never takes the member for one that polls too seldom.
    """
    fetch = subscriptions.fetch_context

    @contextmanager
    def fetch_context() -> Iterator[None]:
        counted = ExitStack()
        counted.enter_context(fetch())
        try:
            yield
        finally:
            counted.close()

    subscriptions.fetch_context = fetch_context
