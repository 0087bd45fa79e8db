"""The dispatcher: approved -> sending -> sent, failed or unknown; the unknown is looked up, never sent again blindly.

It is told approval ids and nothing else. That it is sending is noted before it does: if it dies in between, its
lease ends, and the reply's fate is found out.
"""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from datetime import timedelta
from typing import Any, Final

import asyncpg
import structlog

from chassis.clock import Clock
from chassis.logging import canonical
from chassis.postgres import POSTGRES_UNAVAILABLE, Pool
from contracts.integrations import Integration, WebChatReply
from services.responder import deliveries
from services.responder.channels import NotArrived, Outcome, Unknown
from services.responder.channels.outcomes import Channel
from services.responder.deliveries import Due, Finder
from services.responder.places import Places
from services.responder.polling import Signal, repeat
from services.responder.sending import Attempt, SendingNotes
from services.responder.settings import DispatchSettings
from services.responder.tracing import span

_SETTLE_AGAIN_SECONDS: Final = 0.5
_log = structlog.get_logger(__name__)


class Dispatcher:
    """Sends what was released; several may run beside each other.

    `channels` holds the way back of each integration that has a network between; the web chat has none.
    """

    def __init__(  # noqa: PLR0913 - the resources of one worker
        self,
        pool: Pool,
        notes: SendingNotes,
        integrations: Mapping[str, Integration],
        channels: Mapping[str, Channel],
        *,
        settings: DispatchSettings,
        clock: Clock,
    ) -> None:
        self._pool = pool
        self._notes = notes
        self._integrations = integrations
        self._channels = channels
        self._settings = settings
        self._clock = clock
        self._signal = Signal()
        self._places = Places(settings.concurrency, self._signal.set)

    def hint(self) -> None:
        """Tell that something was released: the dispatcher looks at once instead of at its next poll."""
        self._signal.set()

    async def run(self) -> None:
        """Work until cancelled; then begin nothing more, and let end what is under way.

        What a send that is cut off came to is found out when its lease ends.
        """
        try:
            await repeat(self._begin, self._signal, self._settings.poll_seconds, "dispatcher")
        finally:
            await self._places.emptied(self._settings.request_timeout_seconds)

    async def step(self) -> int:
        """Do what is due now, and wait until it is done; answers how much that was."""
        begun = await self._begin()
        await self._places.emptied()
        self._places.check()
        return begun

    async def _begin(self) -> int:
        """Begin what is due now, as far as there are places; answers how much was begun."""
        self._places.check()
        begun = await self._take(deliveries.expired_leases, self._end_lease)
        begun += await self._take(deliveries.due_to_look_up, self._look_up)
        return begun + await self._take(deliveries.due_to_send, self._send)

    async def _take(self, find: Finder, work: Callable[[Due], Coroutine[Any, Any, None]]) -> int:
        free = self._places.free()
        found = await find(self._pool, self._clock(), self._places.under_way(), free) if free else []
        return sum(self._places.take(due, work) for due in found)

    async def _send(self, due: Due) -> None:
        with span("reply send"), canonical(_log, "reply_dispatched", reply_id=str(due.reply_id)) as line:
            attempt = await self._notes.begin(due, in_web_chat=self._is_web_chat(due))
            if attempt is not None:
                outcome = await self._transmit(attempt)
                line.bind(attempt=attempt.reply.attempt, sent=_word(outcome), code=getattr(outcome, "code", None))
                await self._settle(attempt, outcome)

    async def _settle(self, attempt: Attempt, outcome: Outcome) -> None:
        """Note the outcome; what PostgreSQL does not take is told again, until nobody waits for it any more."""
        due = attempt.due
        while True:
            try:
                return await self._notes.settle(due, attempt.reply.attempt, outcome, can_look_up=self._can_look_up(due))
            except (*POSTGRES_UNAVAILABLE, asyncpg.PostgresError) as error:
                if self._clock() >= attempt.lease_until:
                    raise
                _log.warning("outcome_not_noted", reply_id=str(due.reply_id), error_class=type(error).__name__)
            await asyncio.sleep(_SETTLE_AGAIN_SECONDS)

    async def _transmit(self, attempt: Attempt) -> Outcome:
        channel = self._channels.get(attempt.due.integration)
        if channel is None:
            return NotArrived("CHANNEL_MISSING", retryable=False)
        latest = attempt.lease_until - timedelta(seconds=self._settings.request_timeout_seconds)
        if self._clock() > latest:
            # This process slept: whoever takes over after the lease must not find two of us sending.
            return NotArrived("LEASE_TOO_SHORT")
        return await self._within_timeout(channel.send(attempt.reply), Unknown("REQUEST_TIMEOUT"))

    async def _end_lease(self, due: Due) -> None:
        await self._notes.end_lease(due, can_look_up=self._can_look_up(due))

    async def _look_up(self, due: Due) -> None:
        if not await self._notes.begin_lookup(due):
            return
        with span("reply look up"), canonical(_log, "reply_looked_up", reply_id=str(due.reply_id)) as line:
            outcome = await self._ask(due)
            line.bind(found=_word(outcome), code=getattr(outcome, "code", None))
            await self._notes.looked_up(due, outcome, can_look_up=self._can_look_up(due))

    async def _ask(self, due: Due) -> Outcome:
        channel = self._channels.get(due.integration)
        if channel is None:
            return Unknown("CHANNEL_MISSING")
        return await self._within_timeout(channel.look_up(due.reply_id), Unknown("LOOKUP_TIMEOUT"))

    async def _within_timeout(self, asking: Coroutine[Any, Any, Outcome], otherwise: Outcome) -> Outcome:
        try:
            async with asyncio.timeout(self._settings.request_timeout_seconds):
                return await asking
        except TimeoutError:
            return otherwise

    def _can_look_up(self, due: Due) -> bool:
        channel = self._channels.get(due.integration)
        return channel is not None and channel.can_look_up()

    def _is_web_chat(self, due: Due) -> bool:
        integration = self._integrations.get(due.integration)
        return integration is not None and isinstance(integration.reply, WebChatReply)


def _word(outcome: Outcome) -> str:
    return type(outcome).__name__.lower()
