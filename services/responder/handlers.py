"""The consumer of everything that routing classified: each batch is one idempotent transaction."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC
from typing import Final
from uuid import UUID

import structlog
from google.protobuf.message import Message

from ascolto.classification.v1 import classification_pb2 as classification
from ascolto.posts.v1 import post_pb2 as posts
from chassis import inbox
from chassis.clock import Clock
from chassis.errors import NeverRetry
from chassis.logging import canonical
from chassis.messages import Outgoing, Record
from chassis.postgres import Connection, Pool, transaction
from contracts import codec
from contracts.identity import last_segment
from contracts.integrations import Integration
from contracts.topics import RESPONDER, consumed_by
from services.responder import conversations, events, metrics, replies
from services.responder.approval import GoStale, Refusal, decide
from services.responder.change import Change
from services.responder.conversations import Loaded
from services.responder.incoming import Incoming
from services.responder.turn import Call, Heard, NotDueDecision, StaleDecision, Verdict
from services.responder.words import fingerprint

TOPICS: Final = tuple(topic.name for topic in consumed_by(RESPONDER))
GROUP: Final = RESPONDER

_CALLS: Final = {
    classification.CATEGORY_QUESTION: Call.ANSWER,
    classification.CATEGORY_COMPLAINT: Call.ANSWER,
    classification.CATEGORY_FEEDBACK: Call.FEEDBACK,
    classification.CATEGORY_OTHER: Call.CHATTER,
}
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Classified:
    """A classified or corrected post, decoded: the event's own id for the inbox, and what the conversation is told."""

    event_id: UUID
    incoming: Incoming


class Handlers:
    """Takes classified posts into their conversations; `on_drafts` and `on_facts` hint at work that waits."""

    def __init__(
        self,
        pool: Pool,
        integrations: Mapping[str, Integration],
        clock: Clock,
        *,
        on_drafts: Callable[[], None],
        on_facts: Callable[[], None],
    ) -> None:
        self._pool = pool
        self._integrations = integrations
        self._clock = clock
        self._on_drafts = on_drafts
        self._on_facts = on_facts

    def decode(self, record: Record) -> Classified:
        """Read a record; NeverRetry where it cannot be acted upon."""
        return read_classified(record, self._integrations)

    async def handle(self, batch: Sequence[Classified]) -> None:
        """Take in a batch: all of it or nothing, and what was taken in before leaves no trace."""
        with canonical(_log, "posts_received", posts=len(batch)) as line:
            async with transaction(self._pool) as connection:
                fresh = await self._claim(connection, batch)
                wanted = await self._receive(connection, [each.incoming for each in fresh]) if fresh else 0
            line.bind(fresh=len(fresh), drafts_wanted=wanted)
        metrics.received(len(fresh))
        self._on_facts()
        if wanted:
            self._on_drafts()

    async def _claim(self, connection: Connection, batch: Sequence[Classified]) -> list[Classified]:
        by_id = {each.event_id: each for each in batch}
        claimed = await inbox.claim(connection, GROUP, by_id)
        return [each for event_id, each in by_id.items() if event_id in claimed]

    async def _receive(self, connection: Connection, incoming: Sequence[Incoming]) -> int:
        said = {each.key: each.heard.said_at for each in sorted(incoming, key=lambda each: each.heard.said_at)}
        await conversations.lock(connection, said)
        loaded = await conversations.load(connection, incoming)
        not_due, stale = self._decide(loaded, incoming)
        wanted = await conversations.save(connection, loaded, incoming)
        await replies.record(connection, await self._go_stale(connection, stale), not_due)
        return wanted

    def _decide(self, loaded: Loaded, incoming: Sequence[Incoming]) -> tuple[list[Outgoing], dict[UUID, StaleDecision]]:
        """Tell the threads what was said, in the order in which it was said, and collect what follows."""
        not_due: list[Outgoing] = []
        stale: dict[UUID, StaleDecision] = {}
        now = self._clock()
        for each in sorted(incoming, key=_order):
            for decision in loaded.threads[each.key].receive(each.heard):
                match decision:
                    case NotDueDecision(known=known, reason=reason):
                        not_due.append(events.not_due(known, *each.key, reason, now))
                        metrics.not_due(reason)
                    case StaleDecision(reply_id=reply_id):
                        stale[reply_id] = decision
        return not_due, stale

    async def _go_stale(self, connection: Connection, stale: Mapping[UUID, StaleDecision]) -> list[Change]:
        changes = []
        for reply_id, reply in (await replies.load_locked(connection, stale)).items():
            facts = decide(reply, GoStale(stale[reply_id].reason), self._clock())
            if not isinstance(facts, Refusal):
                changes.append(Change(reply, facts))
        return changes


def read_classified(record: Record, integrations: Mapping[str, Integration]) -> Classified:
    """Decode a record; NeverRetry where it cannot be acted upon."""
    event = codec.decode(record)
    message, kept = _classified(event.message, record)
    _check_deadline(message.handling)
    integration = integrations.get(message.post.integration)
    has_channel = integration is not None and integration.reply is not None
    heard = understand(message, event.metadata, has_channel=has_channel)
    key = (event.metadata.tenant, last_segment(message.post.conversation))
    category, traceparent = message.classification.category, event.metadata.traceparent
    return Classified(event.metadata.event_id, Incoming(key, heard, category, kept, traceparent))


def _classified(message: Message, record: Record) -> tuple[classification.PostClassified, bytes]:
    """The post as it is classified, and the bytes of that."""
    match message:
        case classification.PostClassified():
            return message, record.value or b""
        case classification.CategoryCorrected(corrected=corrected):
            return corrected, corrected.SerializeToString(deterministic=True)
        case _:
            raise NeverRetry("TYPE_UNEXPECTED", f"{record.topic} does not carry classified posts")


def _check_deadline(handling: classification.Handling) -> None:
    """A draft is written outside the handler, where nothing can be refused any more."""
    try:
        handling.respond_by.ToDatetime()
    except (ValueError, OverflowError) as error:
        raise NeverRetry("FIELD_INVALID", "handling.respond_by is no time between the years 1 and 9999") from error


def understand(message: classification.PostClassified, metadata: codec.Metadata, *, has_channel: bool) -> Heard:
    """What the turn rules look at in a classified post."""
    post = message.post
    own = post.direction == posts.DIRECTION_OWN
    learned_at = metadata.time.astimezone(UTC)
    said_at = post.create_time.ToDatetime(tzinfo=UTC) if post.HasField("create_time") else learned_at
    return Heard(
        event_id=_uuid(message.post_event_id),
        post=post.name,
        revision=post.revision,
        edited=message.change == posts.PostReceived.CHANGE_EDITED,
        deleted=post.state == posts.STATE_DELETED,
        own=own,
        author=_author_of(post),
        native_id=post.native_id,
        native_parent_id=post.native_parent_id if post.HasField("native_parent_id") else None,
        said_at=said_at,
        learned_at=learned_at,
        call=call_of(message),
        has_channel=has_channel,
        text_sha256=fingerprint(post.utterance.text) if own else b"",
        verdict=Verdict(
            by_person=message.classification.decision == classification.DECISION_CORRECTED,
            decided_at=learned_at,
            event_id=metadata.event_id,
        ),
        rule=",".join(message.handling.rules),
    )


def _author_of(post: posts.Post) -> str:
    """Whose turn a post belongs to; whoever the network says nothing of may be anybody, and has a turn of their own."""
    theirs = post.direction != posts.DIRECTION_OWN and post.state != posts.STATE_DELETED
    return post.utterance.author.subject or (post.name if theirs else "")


def _order(incoming: Incoming) -> tuple[object, ...]:
    """In the order in which it was said, and each post's changes in theirs."""
    heard = incoming.heard
    return heard.said_at, heard.learned_at, heard.deleted, heard.revision, heard.event_id, heard.verdict


def call_of(decided: classification.PostClassified) -> Call:
    """What a classification asks for; where the model was not sure, a person sorts first."""
    if decided.classification.decision == classification.DECISION_ABSTAINED:
        return Call.TRIAGE
    call = _CALLS[decided.classification.category]
    return Call.RULED_OUT if call is Call.ANSWER and decided.handling.answer_not_due else call


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise NeverRetry("FIELD_INVALID", "post_event_id is no UUID") from None
