"""The barrier: a moment counts as covered only when all that came before it has passed both stages."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from contracts.topics import COMPLAINTS, FEEDBACK, POSTS, ROUTING
from services.feedback.coverage import Barrier, Offsets, is_past
from tests.factories import NOW

POST, COMPLAINT = (POSTS.name, 0), (COMPLAINTS.name, 0)


@dataclass
class Log:
    """Kafka as far as the barrier asks it, with a clock that ticks once a step."""

    written: dict[tuple[str, int], int] = field(default_factory=lambda: {POST: 0, COMPLAINT: 0})
    read: dict[str, dict[tuple[str, int], int]] = field(default_factory=lambda: {ROUTING: {}, FEEDBACK: {}})
    now: datetime = NOW
    heard_at: list[datetime] = field(default_factory=list)

    async def ends(self, topics: Sequence[str]) -> Offsets:
        return {at: end for at, end in self.written.items() if at[0] in topics}

    async def committed(self, group: str) -> Offsets:
        return dict(self.read[group])

    def clock(self) -> datetime:
        return self.now

    def barrier(self) -> Barrier:
        return Barrier(self.ends, self.committed, self.clock)

    def hear(self) -> None:
        self.written[POST] += 1
        self.heard_at.append(self.now)

    def route(self) -> None:
        """Pass one post on: written before it is committed."""
        if self.read[ROUTING].get(POST, 0) < self.written[POST]:
            self.written[COMPLAINT] += 1
            self.read[ROUTING][POST] = self.read[ROUTING].get(POST, 0) + 1

    def project(self) -> None:
        done = self.read[FEEDBACK].get(COMPLAINT, 0)
        self.read[FEEDBACK][COMPLAINT] = min(done + 1, self.written[COMPLAINT])

    @property
    def projected(self) -> int:
        return self.read[FEEDBACK].get(COMPLAINT, 0)


async def test_an_empty_log_is_covered_up_to_now() -> None:
    assert await Log().barrier().advance() == NOW


async def test_a_post_that_routing_holds_stops_it() -> None:
    log = Log()
    log.hear()
    barrier = log.barrier()
    assert await barrier.advance() is None
    log.route()
    assert await barrier.advance() is None
    log.project()
    assert await barrier.advance() == NOW


async def test_a_partition_without_a_commit_was_not_read() -> None:
    assert not is_past({}, {POST: 1})
    assert is_past({}, {POST: 0})


@given(steps=st.lists(st.sampled_from(["hear", "route", "project", "look"]), max_size=60))
async def test_everything_heard_before_a_covered_moment_was_projected(steps: list[str]) -> None:
    log = Log()
    barrier = log.barrier()
    for step in steps:
        log.now += timedelta(seconds=1)
        if step == "look":
            passed = await barrier.advance()
            assert passed is None or all(at > passed for at in log.heard_at[log.projected :])
        else:
            getattr(log, step)()
