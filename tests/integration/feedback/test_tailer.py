"""The tail of the log in memory, beside a store that loses what it had or brings more than memory holds."""

from collections.abc import Sequence
from typing import Any, cast

import pytest

from chassis.postgres import Pool
from services.feedback.cursors import Position
from services.feedback.filters import Filter
from services.feedback.handlers import Projector
from services.feedback.settings import WatchSettings
from services.feedback.store.log import Entry
from services.feedback.tailer import Tailer
from tests.integration.feedback.records import classified, facts_of

pytestmark = pytest.mark.integration
HEAVY = "x" * 900_000


class Asked:
    """The pool, and how many pages were asked for."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self.pages = 0

    async def fetch(self, *question: Any) -> Sequence[Any]:
        self.pages += 1
        return await self._pool.fetch(*question)

    async def fetchrow(self, *question: Any) -> Any:
        return await self._pool.fetchrow(*question)


async def all_behind(tailer: Tailer, seq: int = 0) -> list[Entry]:
    found: list[Entry] = []
    while seq < tailer.state.head:
        entries, seq = await tailer.page(Position(tailer.state.epoch, seq), "acme", Filter(), limit=100)
        found += entries
    return found


async def test_a_store_that_falls_back_leaves_no_ghosts_in_memory(pool: Pool, projector: Projector) -> None:
    """A standby that took over before it had everything: what it never got was never learnt."""
    tailer = Tailer(pool, WatchSettings())
    await tailer.refresh()
    await projector.handle(facts_of(classified() for _ in range(6)))
    await tailer.refresh()
    await pool.execute("DELETE FROM insight WHERE seq > (SELECT min(seq) + 2 FROM insight)")
    await tailer.refresh()
    assert [entry.seq for entry in await all_behind(tailer)] == await seqs(pool)
    await projector.handle(facts_of(classified() for _ in range(2)))
    await tailer.refresh()
    assert [entry.seq for entry in await all_behind(tailer)] == await seqs(pool)


async def seqs(pool: Pool) -> list[int]:
    return [row["seq"] for row in await pool.fetch("SELECT seq FROM insight ORDER BY seq")]


async def test_more_than_memory_holds_is_not_read_into_it(pool: Pool, projector: Projector) -> None:
    asked = Asked(pool)
    tailer = Tailer(cast("Pool", asked), WatchSettings(tail_bytes=4 * 1024 * 1024))
    await tailer.refresh()
    await projector.handle(facts_of(classified(text=HEAVY) for _ in range(15)))
    await tailer.refresh()
    assert asked.pages <= 2
    assert [entry.seq for entry in await all_behind(tailer)] == await seqs(pool)
