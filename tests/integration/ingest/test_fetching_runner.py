"""The runner: one process fetches, a failing network stops no other, and nothing is lost when anything stops."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack

import pytest

from services.ingest.fetching.attendance import Listener
from services.ingest.fetching.coverage import Expectation
from services.ingest.fetching.source import Frame
from tests.integration.ingest.fetched import INTEGRATION, Told, eventually, fetching, integration, listener
from tests.integration.ingest.wire import Wire

pytestmark = pytest.mark.integration


class Counting:
    """Says "1", "2", "3"... behind its cursor, up to `last`; fails with a defect at `defect`."""

    def __init__(self, last: int, *, defect: int | None = None) -> None:
        self.last = last
        self.defect = defect
        self.open = 0
        self.most_open = 0
        self.started_at: list[int] = []

    async def frames(self, cursor: bytes | None) -> AsyncGenerator[Frame, None]:
        number = int(cursor or b"0")
        self.started_at.append(number)
        self.open += 1
        self.most_open = max(self.most_open, self.open)
        try:
            while True:
                if number < self.last:
                    number += 1
                    if number == self.defect:
                        raise ZeroDivisionError
                    yield Frame([b'{"id": "%d"}' % number], b"%d" % number)
                else:
                    yield Frame([], b"%d" % number)
                    await asyncio.sleep(0.02)
        finally:
            self.open -= 1


def of(source: Counting) -> Listener:
    return listener(source, Expectation(failing_seconds=0.1))


def numbers(last: int) -> list[str]:
    return [str(number) for number in range(1, last + 1)]


async def test_two_replicas_never_fetch_for_one_integration_at_once_and_one_takes_over(migrated_dsn: str) -> None:
    source = Counting(5)
    async with AsyncExitStack() as first:
        await first.enter_async_context(fetching(migrated_dsn, of(source)))
        await eventually(lambda: source.open == 1)
        async with fetching(migrated_dsn, of(source)) as fetched:
            await fetched.holds(*numbers(5))
            await fetched.remembers(b"5")
            await asyncio.sleep(0.5)
            await first.aclose()
            source.last = 8
            await fetched.holds(*numbers(8))
    assert source.most_open == 1
    assert source.started_at == [0, 5]


async def test_a_defect_in_one_network_stops_no_other_and_becomes_a_gap(migrated_dsn: str) -> None:
    told, broken, whole = Told(), Counting(9, defect=1), Counting(50)
    async with fetching(migrated_dsn, of(broken), of(whole), told=told) as fetched:
        await fetched.holds(*numbers(50))
        await eventually(lambda: told.reasons() == ["UNREACHABLE"])
        assert told.changes[0].integration == INTEGRATION


async def test_who_is_disabled_is_not_fetched_and_goes_on_later_where_it_was(migrated_dsn: str) -> None:
    source = Counting(3)
    async with fetching(migrated_dsn, of(source)) as fetched:
        await fetched.holds(*numbers(3))
        await fetched.remembers(b"3")
        disabled = fetched.roster.pop(INTEGRATION)
        await eventually(lambda: source.open == 0)
        source.last = 5
        fetched.roster[INTEGRATION] = disabled
        await fetched.holds(*numbers(5))
        await fetched.remembers(b"5")
        fetched.roster[INTEGRATION] = integration(settings={"every_seconds": "1"})
        await eventually(lambda: len(source.started_at) == 3)
    assert source.started_at == [0, 3, 5]
    assert source.most_open == 1


async def test_a_crash_after_the_accept_and_before_the_position_repeats_nothing(migrated_dsn: str) -> None:
    source = Counting(9)
    async with fetching(migrated_dsn, of(source)) as fetched:
        await fetched.holds(*numbers(9))
        await fetched.remembers(b"9")
        await fetched.forget_position()
    source.last = 10
    async with fetching(migrated_dsn, of(source)) as fetched:
        await fetched.holds(*numbers(10))
    assert source.started_at == [0, 0]


async def test_postgres_going_away_loses_and_repeats_nothing(migrated_dsn: str, postgres_wire: Wire) -> None:
    source = Counting(20)
    async with fetching(postgres_wire.dsn, of(source), seen=migrated_dsn) as fetched:
        await fetched.holds(*numbers(20))
        for last in (40, 60, 80):
            source.last = last
            postgres_wire.cut()
            await eventually(lambda: source.open == 0)
            await postgres_wire.mend()
            await fetched.holds(*numbers(last))
    assert source.most_open == 1
