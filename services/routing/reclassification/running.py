"""Runs a candidate over history, page by page: killed at any moment it goes on where it was."""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Final
from uuid import uuid4

from chassis.postgres import Connection
from services.routing.decisions import Classifier, MixOf
from services.routing.reclassification.candidates import Candidate, Stood, judge
from services.routing.reclassification.refusals import ReclassificationRefused, Refusal
from services.routing.store import candidates, runs
from services.routing.store.runs import Run, State, Wanted

PAGE_POSTS: Final = 1_000

OnPage = Callable[[Run], None]


async def begin_or_resume(connection: Connection, tenant: str, wanted: Wanted) -> Run:
    """The tenant's run of this candidate, wherever it is; a new one where no other is open.

    Raises ReclassificationRefused where another is.
    """
    await candidates.forget(connection, tenant)
    found = await runs.open_run(connection, tenant)
    if found is None:
        return await runs.begin(connection, uuid4(), tenant, wanted)
    if found.state is State.PROMOTING:
        raise ReclassificationRefused(
            Refusal.RUN_PROMOTING,
            f"Run {found.id} is being promoted: `ascolto reclassify --promote {found.id}` goes on.",
        )
    if found.wanted != wanted:
        raise ReclassificationRefused(Refusal.RUN_OPEN, _open(found, wanted))
    return found


def _open(run: Run, wanted: Wanted) -> str:
    other = "it under other mixes" if run.wanted[:2] == wanted[:2] else "another"
    begin = f"since {run.since.isoformat()}" if run.since else "since ever"
    choice = "promote it or discard it" if run.state is State.DONE else "finish it with the same command, or discard it"
    return f"Run {run.id} of {run.model} ({begin}) is {run.state}, and you ask for {other}: {choice} first."


async def go_through(
    connection: Connection, run: Run, classifier: Classifier, on_page: OnPage, mix_of: MixOf | None = None
) -> Run:
    """The run when it is done; `on_page` is told of it after each page, and `mix_of` is as for `judge`."""
    while run.state is State.RUNNING:
        run = await _next_page(connection, run, partial(judge, classifier, mix_of=mix_of))
        on_page(run)
    return run


async def _next_page(connection: Connection, run: Run, judged: Callable[[list[Stood]], list[Candidate]]) -> Run:
    stood = await candidates.page(connection, run.tenant, run.since, run.cursor, PAGE_POSTS)
    if not stood:
        return await runs.enter(connection, run, State.DONE)
    found = await asyncio.to_thread(judged, stood)
    async with connection.transaction():
        await candidates.keep(connection, run.id, found)
        return await runs.advance(connection, run, stood[-1].post_name, _counts(found))


def _counts(found: list[Candidate]) -> dict[str, int]:
    return {
        "judged": len(found),
        "labelled": sum(each.label is not None for each in found),
        "differing": sum(each.differs for each in found),
        "stands_by_language_model": sum(each.stands_by_language_model for each in found),
    }
