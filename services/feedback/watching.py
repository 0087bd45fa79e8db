"""One stream of insights: every insight behind a cursor once and in order, then new ones as they come."""

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Final

from google.protobuf.duration_pb2 import Duration

from ascolto.insights.v1 import insights_service_pb2 as pb
from services.feedback.cursors import Cursors, Position
from services.feedback.filters import Filter
from services.feedback.store.log import Entry
from services.feedback.tailer import Tailer

BATCH_INSIGHTS: Final = 100
_DRAIN_RETRY_MS: Final = (200, 2_000)
"""Readers of a stopping server come back spread over this, not all at once."""


@dataclass(frozen=True, slots=True)
class Watch:
    """What a reader asked for, and the limits of the stream."""

    tenant: str
    narrowed: Filter
    cursors: Cursors
    checkpoint_seconds: float
    max_age_seconds: float
    """After it the reader is asked to come back."""
    draining: asyncio.Event


class InsightStream:
    """Frames for one reader; `position` is what their next cursor says."""

    def __init__(self, tailer: Tailer, watch: Watch) -> None:
        self._tailer = tailer
        self._watch = watch
        self._position = Position(0, 0)
        self._ends_at = monotonic() + watch.max_age_seconds
        self._checkpoint_at = monotonic() + watch.checkpoint_seconds
        self._told_caught_up = False

    async def frames(self, start: Position | None) -> AsyncIterator[pb.WatchInsightsResponse]:
        """All frames from `start` on (None: from the beginning), ending with a GoAway."""
        with self._tailer.watched():
            state = await self._tailer.refresh()
            self._position = start or Position(state.epoch, 0)
            while (retry_ms := self._leaving()) is None:
                # Taken before looking: what happens between the look and the wait sets this very event.
                changed = self._tailer.changed
                for frame in await self._news():
                    yield frame
                if self._caught_up():
                    await self._wait(changed)
            yield self._go_away(retry_ms)

    async def _news(self) -> Sequence[pb.WatchInsightsResponse]:
        """What there is to say at this moment: a reset, or a batch and a checkpoint, each only where it is due."""
        state = self._tailer.state
        if self._position.epoch != state.epoch or self._position.seq > state.head:
            # A cursor from beyond the end is one of a log that was since restored from a backup.
            return [self._reset(state.epoch)]
        entries, seq = await self._tailer.page(
            self._position, self._watch.tenant, self._watch.narrowed, limit=BATCH_INSIGHTS
        )
        self._position = Position(self._position.epoch, seq)
        frames = [self._batch(entries)] if entries else []
        self._told_caught_up &= self._caught_up()
        if monotonic() >= self._checkpoint_at or self._caught_up() > self._told_caught_up:
            frames.append(self._checkpoint())
        return frames

    def _caught_up(self) -> bool:
        state = self._tailer.state
        return self._position.epoch == state.epoch and self._position.seq >= state.head

    def _batch(self, entries: Sequence[Entry]) -> pb.WatchInsightsResponse:
        insights = [message_of(entry) for entry in entries]
        return pb.WatchInsightsResponse(batch=pb.Batch(insights=insights, cursor=self._cursor()))

    def _checkpoint(self) -> pb.WatchInsightsResponse:
        """Who has not read all that was there when completeness was looked up cannot be told of it."""
        self._checkpoint_at = monotonic() + self._watch.checkpoint_seconds
        self._told_caught_up = self._caught_up()
        caught_up = self._caught_up() and self._tailer.is_current
        checkpoint = pb.Checkpoint(cursor=self._cursor(), caught_up=caught_up)
        if caught_up and (complete := self._tailer.state.complete_through) is not None:
            checkpoint.complete_through.FromDatetime(complete)
        return pb.WatchInsightsResponse(checkpoint=checkpoint)

    def _reset(self, epoch: int) -> pb.WatchInsightsResponse:
        self._position = Position(epoch, 0)
        return pb.WatchInsightsResponse(reset=pb.Reset(cursor=self._cursor()))

    def _go_away(self, retry_ms: int) -> pb.WatchInsightsResponse:
        retry_after = Duration()
        retry_after.FromMilliseconds(retry_ms)
        return pb.WatchInsightsResponse(go_away=pb.GoAway(cursor=self._cursor(), retry_after=retry_after))

    def _cursor(self) -> bytes:
        return self._watch.cursors.seal(self._position)

    def _leaving(self) -> int | None:
        """Milliseconds after which to come back, or None while there is no reason to go."""
        if self._watch.draining.is_set():
            return random.randint(*_DRAIN_RETRY_MS)  # noqa: S311 - spread, not secrecy
        return 0 if monotonic() >= self._ends_at else None

    async def _wait(self, changed: asyncio.Event) -> None:
        """Until there may be news, a checkpoint is due, or it is time to go."""
        seconds = max(0.0, min(self._checkpoint_at, self._ends_at) - monotonic())
        waiting = [asyncio.ensure_future(event.wait()) for event in (changed, self._watch.draining)]
        try:
            await asyncio.wait(waiting, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in waiting:
                each.cancel()


def message_of(entry: Entry) -> pb.Insight:
    """The insight as readers get it: with what was said, while that stands."""
    insight = pb.Insight.FromString(entry.insight.payload)
    insight.event_time.FromDatetime(entry.insight.event_time)
    if entry.evidence is not None:
        insight.post.ParseFromString(entry.evidence)
    return insight
