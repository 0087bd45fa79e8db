"""The parts of a responder around one database, and short words for what tests do with them."""

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeAlias
from uuid import UUID

from ascolto.classification.v1 import classification_pb2 as classification
from ascolto.replies.v1.reply_event_pb2 import ReplyEvent
from chassis.messages import Outgoing, Record
from chassis.outbox import read_headers
from chassis.postgres import Pool, transaction
from contracts import codec
from contracts.codec import Event, encode
from contracts.identity import last_segment
from contracts.integrations import Integration
from contracts.topics import COMPLAINTS, FEEDBACKS, OTHER, QUESTIONS, TRIAGE, Topic
from services.responder import replies
from services.responder.approval import Approve, Command, Refusal, decide
from services.responder.change import Change
from services.responder.channels.outcomes import Channel
from services.responder.digest import digest
from services.responder.dispatcher import Dispatcher
from services.responder.drafter import TemplateDrafter
from services.responder.drafting import DraftingWorker
from services.responder.handlers import Handlers
from services.responder.knowledge import load_articles
from services.responder.reply import Reply
from services.responder.sending import SendingNotes
from services.responder.settings import DispatchSettings, DraftingSettings
from services.responder.upkeep import Upkeep
from tests.factories import make_event, make_post_classified

Said: TypeAlias = classification.PostClassified | Outgoing
"""A classified post, or a correction as a record."""
KNOWLEDGE = Path(__file__).parents[3] / "knowledge"
START = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
_TOPICS = {
    classification.CATEGORY_QUESTION: QUESTIONS,
    classification.CATEGORY_COMPLAINT: COMPLAINTS,
    classification.CATEGORY_FEEDBACK: FEEDBACKS,
    classification.CATEGORY_OTHER: OTHER,
}
INTEGRATIONS: dict[str, dict[str, Any]] = {
    "acme-x": {"kind": "webhook", "network": "x", "secrets": ["plain:whsec_AAAA"], "reply": {"channel": "web_chat"}},
    "acme-chat": {"kind": "web_chat", "network": "web_chat", "reply": {"channel": "web_chat"}},
    "acme-hook": {
        "kind": "webhook",
        "network": "generic",
        "secrets": ["plain:whsec_AAAA"],
        "reply": {"channel": "webhook", "url": "http://127.0.0.1:1/", "secret": "plain:whsec_AAAA"},
    },
    "acme-other-hook": {
        "kind": "webhook",
        "network": "generic",
        "secrets": ["plain:whsec_AAAA"],
        "reply": {"channel": "webhook", "url": "http://127.0.0.1:1/", "secret": "plain:whsec_AAAA"},
    },
    "acme-silent": {"kind": "import"},
}


def integrations() -> dict[str, Integration]:
    return {
        name: Integration.model_validate({"id": name, "tenant": "acme", **each}) for name, each in INTEGRATIONS.items()
    }


def topic_of(message: classification.PostClassified) -> Topic:
    if message.classification.decision == classification.DECISION_ABSTAINED:
        return TRIAGE
    return _TOPICS[message.classification.category]


def outgoing_of(said: Said, time: datetime = START) -> Outgoing:
    """The record that routing would have written; a correction is one already."""
    if isinstance(said, Outgoing):
        return said
    return encode(topic_of(said), last_segment(said.post.conversation), make_event(said, time=time))


def record_of(said: Said, offset: int = 0, time: datetime = START) -> Record:
    """The same, as it is read."""
    outgoing = outgoing_of(said, time)
    return Record(outgoing.topic, 0, offset, 0, outgoing.key, outgoing.value, outgoing.headers)


@dataclass
class Desk:
    """A responder without Kafka: records are handed over by hand, and `now` stands still until it is moved."""

    pool: Pool
    channels: Mapping[str, Channel] = field(default_factory=dict)
    dispatch: DispatchSettings = field(default_factory=DispatchSettings)
    drafting: DraftingSettings = field(default_factory=DraftingSettings)
    now: datetime = START

    def __post_init__(self) -> None:
        self._offsets = itertools.count()
        self.handlers = Handlers(self.pool, integrations(), self.clock, on_drafts=_nothing, on_facts=_nothing)
        drafter = TemplateDrafter(load_articles(KNOWLEDGE))
        self.worker = DraftingWorker(self.pool, drafter, self.drafting, self.clock, _nothing)
        self.upkeep = Upkeep(self.pool, self.drafting, self.clock, _nothing)

    def clock(self) -> datetime:
        return self.now

    def move(self, **delta: float) -> None:
        self.now += timedelta(**delta)

    def dispatcher(self) -> Dispatcher:
        """A dispatcher of its own, as another replica would be."""
        notes = SendingNotes(self.pool, self.dispatch, self.clock, _nothing)
        return Dispatcher(self.pool, notes, integrations(), self.channels, settings=self.dispatch, clock=self.clock)

    async def hear(self, *messages: Said) -> None:
        """Take in records, in one batch."""
        await self.handlers.handle([self.handlers.decode(record_of(each, next(self._offsets))) for each in messages])

    async def ask(self, **overrides: Any) -> classification.PostClassified:
        """Somebody asks something."""
        message = make_post_classified(**overrides)
        await self.hear(message)
        return message

    async def draft(self) -> Reply:
        """Write what is wanted, and answer the newest reply."""
        await self.worker.step()
        row = await self.pool.fetchrow("SELECT * FROM reply ORDER BY change_seq DESC LIMIT 1")
        assert row is not None
        return replies.reply_of(row)

    async def decide(self, reply_id: UUID, command: Command) -> Reply | Refusal:
        """Decide about a reply as the servicer would."""
        async with transaction(self.pool) as connection:
            reply = (await replies.load_locked(connection, [reply_id]))[reply_id]
            facts = decide(reply, command, self.now)
            if isinstance(facts, Refusal):
                return facts
            [after] = await replies.record(connection, [Change(reply, facts)])
            return after

    async def approved(self, **overrides: Any) -> Reply:
        """A reply to a question, drafted and approved."""
        await self.ask(**overrides)
        reply = await self.draft()
        after = await self.decide(reply.reply_id, Approve("ann"))
        assert isinstance(after, Reply)
        return after

    async def reply(self, reply_id: UUID) -> Reply:
        row = await self.pool.fetchrow("SELECT * FROM reply WHERE reply_id = $1", reply_id)
        assert row is not None
        return replies.reply_of(row)

    async def facts(self) -> list[Event[ReplyEvent]]:
        """The facts that wait in the outbox, in their order."""
        rows = await self.pool.fetch("SELECT * FROM outbox ORDER BY id")
        found = []
        for row in rows:
            headers = read_headers(row["headers"])
            event = codec.decode(Record(row["topic"], 0, row["id"], 0, row["key"], row["value"], headers))
            assert isinstance(event.message, ReplyEvent)
            found.append(Event(event.metadata, event.message))
        return found

    async def fact_names(self) -> list[str]:
        return [str(event.message.WhichOneof("fact")) for event in await self.facts()]

    async def outcomes(self) -> list[tuple[str, str | None]]:
        rows = await self.pool.fetch("SELECT outcome, reason FROM post ORDER BY said_at, learned_at, event_id")
        return [(row["outcome"], row["reason"]) for row in rows]

    async def digest(self) -> str:
        async with self.pool.acquire() as connection:
            return await digest(connection)


def _nothing() -> None:
    """No hint is needed where nobody waits."""
