"""One batch through a pipe, without I/O: decode, transform, and find the records that cannot be done."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeAlias, TypeVar

from chassis.errors import Crash, NeverRetry
from chassis.kafka.publisher import too_large
from chassis.kafka.records import Decoded, Raw, decode_all, unexpected
from chassis.messages import Outgoing, Record

T = TypeVar("T")

Transform: TypeAlias = Callable[[Sequence[T]], Sequence[Outgoing]]


@dataclass(frozen=True, slots=True)
class Prepared(Generic[T]):
    """A transform that has to look something up about each batch, once, before it can be pure."""

    prepare: Callable[[Sequence[T]], Awaitable[Transform[T]]]
    """Answers the transform of the batch that it is given, which is never empty; runs on the event loop."""
    transient: tuple[type[BaseException], ...]
    """What it raises where infrastructure is away: it is asked again without limit, and nothing is dead-lettered."""


@dataclass(frozen=True, slots=True)
class Result:
    """What is to be written, in order, and which records were refused and why."""

    outgoing: Sequence[Outgoing]
    refused: Sequence[tuple[Raw, NeverRetry]]


@dataclass(frozen=True, slots=True)
class Step(Generic[T]):
    """`decode` and `transform` are pure: what fails once fails always, so nothing is tried a second time.

    A batch that fails as a whole is transformed record by record, so that only the bad ones are refused.
    """

    decode: Callable[[Record], T]
    max_record_bytes: int

    def run(self, raws: Sequence[Raw], transform: Transform[T]) -> Result:
        """Transform `raws`; raises Crash when `decode` or `transform` do."""
        return self.finish(self.read(raws), transform)

    def read(self, raws: Sequence[Raw]) -> Decoded[T]:
        """The first half of `run`."""
        return decode_all(raws, self.decode)

    def finish(self, decoded: Decoded[T], transform: Transform[T]) -> Result:
        """The second half of `run`."""
        if not decoded.values:
            return Result((), decoded.rejected)
        try:
            return Result(self._transformed(decoded.values, transform), decoded.rejected)
        except NeverRetry:
            outgoing, refused = self._one_by_one(decoded, transform)
            return Result(outgoing, [*decoded.rejected, *refused])

    def _one_by_one(
        self, decoded: Decoded[T], transform: Transform[T]
    ) -> tuple[list[Outgoing], list[tuple[Raw, NeverRetry]]]:
        outgoing: list[Outgoing] = []
        refused: list[tuple[Raw, NeverRetry]] = []
        for source, value in zip(decoded.sources, decoded.values, strict=True):
            try:
                outgoing += self._transformed([value], transform)
            except NeverRetry as refusal:
                refused.append((source, refusal))
        return outgoing, refused

    def _transformed(self, values: Sequence[T], transform: Transform[T]) -> Sequence[Outgoing]:
        try:
            outgoing = transform(values)
        except (NeverRetry, Crash):
            raise
        except Exception as error:
            raise unexpected("TRANSFORM_FAILED", error) from error
        for message in outgoing:
            if refusal := too_large(message, self.max_record_bytes):
                raise refusal
        return outgoing
