"""What is noted before and after a text is sent: each note is one transaction that decides under the reply's lock."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import structlog

from chassis.clock import Clock
from chassis.postgres import Connection, Pool, transaction
from services.responder import deliveries, metrics, replies
from services.responder.approval import Command, RecordFailed, RecordSent, RecordUnknown, Refusal, StartSending, decide
from services.responder.change import Change
from services.responder.channels import Arrived, NotArrived, Outcome, Unknown, web_chat
from services.responder.deliveries import Delivery, Due
from services.responder.facts import Failed
from services.responder.reply import Reply, State
from services.responder.settings import DispatchSettings

_TO_SEND: Final = frozenset({"ready", "failed"})
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Attempt:
    """A text that may be sent now, by nobody else, until the lease ends."""

    due: Due
    reply: Reply
    lease_until: datetime


class SendingNotes:
    """The dispatcher's memory; `on_facts` hints that events wait to be published."""

    def __init__(self, pool: Pool, settings: DispatchSettings, clock: Clock, on_facts: Callable[[], None]) -> None:
        self._pool = pool
        self._settings = settings
        self._clock = clock
        self._on_facts = on_facts

    async def begin(self, due: Due, *, in_web_chat: bool) -> Attempt | None:
        """Note that the text is being sent; None where nothing is (any more) to be sent over a network.

        The text is compared with the approvals on record here, and nowhere later can it change. In the web chat
        the note and the effect are one.
        """
        async with self._deciding(due) as (connection, reply, delivery):
            if delivery is None or not (delivery.state in _TO_SEND and self._is_due(due, delivery, delivery.next_at)):
                return None
            if reply is None:
                await self._leave(connection, delivery, reply)
                return None
            approvals = await deliveries.approvals_of(connection, due.approval_id)
            overtaken = await deliveries.overtaken(connection, due.approval_id)
            facts = decide(reply, StartSending(approvals, overtaken=overtaken), self._clock())
            if isinstance(facts, Refusal) or isinstance(facts[0], Failed):
                _log.error(
                    "send_not_released", reply_id=str(due.reply_id), state=reply.state.value, overtaken=overtaken
                )
                await deliveries.retry_at(connection, due.approval_id, None)
                await replies.record(connection, [] if isinstance(facts, Refusal) else [Change(reply, facts)])
                return None
            change = Change(reply, facts)
            if in_web_chat:
                await self._post_to_chat(connection, change)
                return None
            lease_until = self._clock() + timedelta(seconds=self._settings.lease_seconds)
            await deliveries.lease(connection, due.approval_id, lease_until)
            [sending] = await replies.record(connection, [change])
            return Attempt(due, sending, lease_until)

    async def settle(self, due: Due, attempt: int, outcome: Outcome, *, can_look_up: bool) -> None:
        """Note what became of an attempt; what was settled meanwhile stays as it is."""
        async with self._deciding(due) as (connection, reply, delivery):
            if reply is None or delivery is None:
                return
            facts = decide(reply, _command(attempt, outcome), self._clock())
            if isinstance(facts, Refusal):
                _log.warning("send_settled_elsewhere", reply_id=str(due.reply_id), reason=facts.reason.value)
                return
            await self._schedule(connection, delivery, outcome, can_look_up=can_look_up)
            await replies.record(connection, [Change(reply, facts)])
        metrics.sent(type(outcome).__name__.lower())

    async def end_lease(self, due: Due, *, can_look_up: bool) -> None:
        """Whoever was sending has not said what became of it: from now on nobody knows."""
        async with self._deciding(due) as (connection, reply, delivery):
            if delivery is None or not (
                delivery.state == "sending" and self._is_due(due, delivery, delivery.lease_until)
            ):
                return
            outcome = Unknown("LEASE_EXPIRED")
            facts = decide(reply, _command(delivery.attempt, outcome), self._clock()) if reply else None
            if reply is None or facts is None or isinstance(facts, Refusal):
                await self._leave(connection, delivery, reply)
                return
            await self._schedule(connection, delivery, outcome, can_look_up=can_look_up)
            await replies.record(connection, [Change(reply, facts)])
        metrics.sent("unknown")

    async def begin_lookup(self, due: Due) -> bool:
        """Take a lookup upon this process; False where another has it, or it is due no more."""
        now = self._clock()
        return await deliveries.claim_lookup(
            self._pool, due, now, now + timedelta(seconds=self._settings.lease_seconds)
        )

    async def looked_up(self, due: Due, outcome: Outcome, *, can_look_up: bool) -> None:
        """Note what a lookup found; while it finds nothing out, the next one is due later."""
        async with self._deciding(due) as (connection, reply, delivery):
            if delivery is None or delivery.state != "unknown" or not delivery.stands_as(due):
                return
            if reply is None or (reply.state, reply.attempt) != (State.UNRESOLVED, delivery.attempt):
                await self._leave(connection, delivery, reply)
                return
            await self._schedule(connection, delivery, outcome, can_look_up=can_look_up)
            facts = decide(reply, _command(delivery.attempt, outcome), self._clock())
            await replies.record(connection, [] if isinstance(facts, Refusal) else [Change(reply, facts)])

    def _is_due(self, due: Due, delivery: Delivery, at: datetime | None) -> bool:
        return delivery.stands_as(due) and at is not None and at <= self._clock()

    async def _leave(self, connection: Connection, delivery: Delivery, reply: Reply | None) -> None:
        """The delivery and the facts of its reply contradict each other, as after a restore: a person must look."""
        state = reply.state.value if reply else None
        _log.error("delivery_left", reply_id=str(delivery.reply_id), delivery=delivery.state, reply_state=state)
        await deliveries.leave(connection, delivery.approval_id)

    @asynccontextmanager
    async def _deciding(self, due: Due) -> AsyncIterator[tuple[Connection, Reply | None, Delivery | None]]:
        async with transaction(self._pool) as connection:
            found = await replies.load_locked(connection, [due.reply_id])
            yield connection, found.get(due.reply_id), await deliveries.lock(connection, due.approval_id)
        self._on_facts()

    async def _post_to_chat(self, connection: Connection, change: Change) -> None:
        sending = change.after()
        native_id = await web_chat.write(connection, sending, self._clock())
        sent = decide(sending, RecordSent(sending.attempt, native_id), self._clock())
        if isinstance(sent, Refusal):
            raise AssertionError(sent.message)  # noqa: TRY004 - a bug of ours: what is being sent can be sent
        await replies.record(connection, [Change(change.before, change.facts + sent)])
        metrics.sent("arrived")

    async def _schedule(
        self, connection: Connection, delivery: Delivery, outcome: Outcome, *, can_look_up: bool
    ) -> None:
        """When something is to be done next about it; None leaves it to a person."""
        now = self._clock()
        match outcome:
            case NotArrived(retryable=retryable):
                again = retryable and delivery.failures + 1 < self._settings.max_attempts
                at = now + self._settings.pause(delivery.failures) if again else None
                await deliveries.retry_at(connection, delivery.approval_id, at)
            case Unknown():
                again = can_look_up and delivery.lookups < self._settings.max_lookups
                settled = timedelta(seconds=self._settings.lookup_after_seconds)
                at = now + max(settled, self._settings.pause(delivery.lookups)) if again else None
                await deliveries.look_up_at(connection, delivery.approval_id, at)


def _command(attempt: int, outcome: Outcome) -> Command:
    match outcome:
        case Arrived(native_id=native_id):
            return RecordSent(attempt, native_id)
        case NotArrived(code=code):
            return RecordFailed(attempt, code)
        case Unknown(code=code):
            return RecordUnknown(attempt, code)
