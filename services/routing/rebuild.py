"""Rebuilds the read model from the log: `python -m services.routing.rebuild`, beside a running service or without one.

One transaction: readers see the old read model until the new one is whole, what comes in meanwhile waits for it, and
an interrupted rebuild leaves everything as it was. Posts go on being classified. Human labels are no read model: they
stay, those that a restored database has forgotten are learnt again, and what was classified without them is corrected:
the running service will know these records and look no more.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from chassis.errors import Crash
from chassis.kafka import KafkaSettings
from chassis.messages import Record
from chassis.outbox import enqueue
from chassis.postgres import Connection, PostgresSettings
from chassis.rebuilding import command, read_batches, readable, rebuilding_session
from chassis.settings import load
from contracts.topics import CLASSIFIED, CORRECTIONS, ROUTING
from services.routing.corrections import Correction, outgoing
from services.routing.facts import read
from services.routing.handlers import heed, project
from services.routing.rules.book import RuleBook
from services.routing.rules.problems import RulesError
from services.routing.settings import RoutingSettings
from services.routing.standing import PERSON, Fact
from services.routing.store.digest import digest
from services.routing.store.labels import Unheeded, labelled_posts, restore_labels, unheeded
from services.routing.store.locks import rebuilding
from services.routing.store.rebuilding import empty, waiting_corrections
from services.routing.store.rules import kept_rules


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What a rebuild found and made."""

    events: int
    """That could be read, some of them more than once."""
    refused: int
    """Records that cannot be read; the running service dead-lettered them."""
    heeded: int
    """Labels that the log did not say yet; now it will."""
    digest_before: str
    digest: str


class RebuildRefused(Crash):
    """What the tenants' rules say of a post cannot be known: say where they are, and rebuild again."""


async def rebuild(postgres: PostgresSettings, kafka: KafkaSettings, rules_dir: Path | None = None) -> Rebuilt:
    """Drop the read model, fold all classifications and corrections again, and let every label stand.

    Raises RebuildRefused where a label needs rules that cannot be read.
    """
    async with rebuilding_session(postgres, schema=ROUTING) as session, session.transaction():
        await rebuilding(session)
        rules = await _rules(session, rules_dir)
        before = await digest(session)
        await empty(session)
        events, refused = await _fold_all(session, kafka)
        made = await _heed_all(session, rules, rules_told=rules_dir is not None)
        after = await digest(session)
        await enqueue(session, [outgoing(each) for each in made])
        return Rebuilt(events, refused, len(made), before, after)


async def _fold_all(connection: Connection, kafka: KafkaSettings) -> tuple[int, int]:
    # First: what is published meanwhile stands at the end of its topic by the time that it is gone from here.
    waiting = await waiting_corrections(connection)
    events, refused = await _fold(connection, waiting), 0
    for topic in (*CLASSIFIED, CORRECTIONS):
        async for records in read_batches(kafka, topic.name):
            read_now = await _fold(connection, records)
            events, refused = events + read_now, refused + len(records) - read_now
    return events, refused


async def _fold(connection: Connection, records: Sequence[Record]) -> int:
    facts = [fact for _, fact in readable(records, read)]
    await project(connection, facts)
    await restore_labels(connection, [fact.decided for fact in facts if _is_persons_word(fact)])
    return len(facts)


async def _rules(connection: Connection, folder: Path | None) -> RuleBook:
    """As a process of routing that starts now has them."""
    try:
        book = RuleBook.open(folder)
    except RulesError as error:
        raise RebuildRefused(f"the rules cannot be read: {error}") from error
    book.restore(await kept_rules(connection, book.wanting()))
    return book


async def _heed_all(connection: Connection, rules: RuleBook, *, rules_told: bool) -> list[Correction]:
    made: list[Correction] = []
    async for names in labelled_posts(connection):
        found = await unheeded(connection, names)
        unknown = _handled_by_unknown(rules, found)
        if unknown and (not rules_told or await kept_rules(connection, unknown)):
            raise RebuildRefused(
                f"posts of {', '.join(sorted(unknown))} are handled by rules, and this command finds none: set "
                "ROUTING_RULES_DIR to the folder that routing reads, and rebuild again"
            )
        made += await heed(connection, found, rules.handle)
    return made


def _handled_by_unknown(rules: RuleBook, found: Sequence[Unheeded]) -> set[str]:
    """Tenants whose rules have handled what stands, and of whom there are none here."""
    handled = {each.label.tenant for each in found if each.standing.message.HasField("handling")}
    return {tenant for tenant in handled if rules.counting().get(tenant) is None}


def _is_persons_word(fact: Fact) -> bool:
    """And not a classification that heeded an earlier one."""
    return fact.decided.authority == PERSON and fact.decided.corrected_by is not None


if __name__ == "__main__":
    command(ROUTING, partial(rebuild, rules_dir=load(RoutingSettings).rules_dir))
