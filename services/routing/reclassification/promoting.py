"""Promotes what a candidate says, page by page, as corrections; or discards it."""

import asyncio
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from time import monotonic
from typing import Final

from chassis.clock import Clock
from chassis.outbox import enqueue
from chassis.postgres import Connection
from services.routing.corrections import Correction, Handle, correction_of, outgoing
from services.routing.facts import corrected
from services.routing.reclassification.refusals import ReclassificationRefused, Refusal
from services.routing.reclassification.running import OnPage
from services.routing.standing import moment_after
from services.routing.store import candidates, runs
from services.routing.store.folding import save
from services.routing.store.labels import labels_of
from services.routing.store.locks import folding
from services.routing.store.promotion import Claim, claims, next_names, waiting
from services.routing.store.runs import ENDED, Run, State

PAGE_POSTS: Final = 200
MOST_WAITING: Final = 10_000
"""Rows of the outbox: what people correct meanwhile waits behind no more than these."""
PATIENCE_SECONDS: Final = 60.0
_POLL_SECONDS: Final = 0.2
_COUNTS: Final = ("promoted", "left_revised", "left_labelled", "left_equal", "stands_by_language_model")


@dataclass(frozen=True, slots=True)
class Rules:
    """What the tenants' rules make of a post that is decided otherwise."""

    handle: Handle
    known: bool
    """Whether these are the rules of the run's tenant; if not, posts that were handled by rules are not promoted."""


async def find(connection: Connection, tenant: str, beginning: str) -> Run:
    """The tenant's run whose id begins so; raises ReclassificationRefused where none or several do."""
    found = await runs.find(connection, tenant, beginning.lower())
    if len(found) != 1:
        several = "several runs have ids that begin so" if found else "there is no such run"
        raise ReclassificationRefused(
            Refusal.RUN_UNKNOWN, f"{beginning}: {several} of {tenant}; `ascolto reclassify --list` shows them."
        )
    return found[0]


async def promote(connection: Connection, run: Run, rules: Rules, clock: Clock, on_page: OnPage) -> Run:
    """Let stand what the candidate says; a promotion that was interrupted goes on.

    Raises ReclassificationRefused where the run is not done, or ended otherwise.
    """
    if run.state is State.RUNNING:
        raise ReclassificationRefused(
            Refusal.RUN_NOT_DONE, f"Run {run.id} is not done: the command that began it goes on with it."
        )
    if run.state is State.DISCARDED:
        raise ReclassificationRefused(Refusal.RUN_ENDED, f"Run {run.id} was discarded: run the candidate again.")
    if run.state is State.DONE:
        run = await runs.enter(connection, run, State.PROMOTING)
    while run.state is State.PROMOTING:
        await relay_keeping_up(connection)
        run = await _next_page(connection, run, rules, clock)
        on_page(run)
    await candidates.forget(connection, run.tenant)
    return run


async def relay_keeping_up(connection: Connection, patience_seconds: float = PATIENCE_SECONDS) -> None:
    """Wait until few enough corrections wait for Kafka; raises ReclassificationRefused where none of them moves."""
    before, since = None, monotonic()
    while (now := await waiting(connection, MOST_WAITING))[0] == MOST_WAITING:
        if now != before:
            before, since = now, monotonic()
        if monotonic() - since > patience_seconds:
            raise ReclassificationRefused(
                Refusal.RELAY_STOPPED,
                f"{MOST_WAITING:,} corrections wait to be published and none moves: start routing and look at its "
                "health; the same command goes on.",
            )
        await asyncio.sleep(_POLL_SECONDS)


async def discard(connection: Connection, run: Run) -> Run:
    """Drop what the run found; raises ReclassificationRefused where some of it stands already."""
    if run.state is State.PROMOTING:
        raise ReclassificationRefused(
            Refusal.RUN_PROMOTING,
            f"Run {run.id} is promoted in part: finish it with --promote; to go back, promote the model of before.",
        )
    if run.state is State.PROMOTED:
        raise ReclassificationRefused(
            Refusal.RUN_ENDED, f"Run {run.id} was promoted: to go back, promote the model of before."
        )
    found = run if run.state in ENDED else await runs.enter(connection, run, State.DISCARDED)
    await candidates.forget(connection, run.tenant)
    return found


async def _next_page(connection: Connection, run: Run, rules: Rules, clock: Clock) -> Run:
    async with connection.transaction():
        await folding(connection)
        names = await next_names(connection, run.id, run.cursor, PAGE_POSTS)
        if not names:
            return await runs.enter(connection, run, State.PROMOTED)
        found = await claims(connection, run.id, names)
        # After the locks: whoever labels a post locks its decision first.
        labelled = await labels_of(connection, names)
        verdicts = dict.fromkeys(names, "left_revised") | {each.post_name: _verdict(each, labelled) for each in found}
        made = [_correction(run, each, rules, clock) for each in found if verdicts[each.post_name] == "promoted"]
        await save(connection, [corrected(each.metadata, each.message) for each in made])
        counts = Counter(verdicts.values())
        run = await runs.advance(connection, run, names[-1], {name: counts[name] for name in _COUNTS})
        await enqueue(connection, [outgoing(each) for each in made])
        return run


def _verdict(claim: Claim, labelled: Collection[str]) -> str:
    """What becomes of a candidate's word, as the run counts it."""
    if claim.by_person or claim.post_name in labelled:
        return "left_labelled"
    if claim.standing is None:
        return "left_revised"
    if claim.stands_by_language_model:
        return "stands_by_language_model"
    return "left_equal" if claim.equal else "promoted"


def _correction(run: Run, claim: Claim, rules: Rules, clock: Clock) -> Correction:
    standing = claim.standing
    if standing is None:
        raise AssertionError("what does not stand cannot be corrected")
    if standing.message.HasField("handling") and not rules.known:
        raise ReclassificationRefused(
            Refusal.RULES_MISSING,
            f"Posts of {run.tenant} are handled by rules, and this command finds none of {run.tenant}: set "
            "ROUTING_RULES_DIR to the folder that routing reads, and promote again; where the tenant has no rules any "
            "more, add --without-rules.",
        )
    return correction_of(
        standing,
        claim.classification,
        rules.handle,
        by=f"run@{run.id}",
        at=moment_after(standing.decided_at, clock()),
        who=run.model,
        reason=f"promoted by run {run.id}",
    )
