"""The dispatcher: approved -> sending -> sent, failed or unknown; the unknown is looked up, never sent again blindly.

It is told approval ids and nothing else. That it is sending is noted before it does: if it dies in between, its
lease ends, and the reply's fate is found out.
"""

import asyncio
from collections.abc import Mapping
from datetime import timedelta

import structlog

from chassis.clock import Clock
from chassis.logging import canonical
from chassis.postgres import Pool
from contracts.integrations import Integration, WebChatReply
from services.responder import deliveries
from services.responder.channels import NotArrived, Outcome, Unknown
from services.responder.channels.outcomes import Channel
from services.responder.deliveries import Due
from services.responder.polling import Signal, repeat
from services.responder.sending import Attempt, SendingNotes
from services.responder.settings import DispatchSettings
from services.responder.tracing import span

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

    def hint(self) -> None:
        """Tell that something was released: the dispatcher looks at once instead of at its next poll."""
        self._signal.set()

    async def run(self) -> None:
        """Work until cancelled; what a cancelled send came to is found out when its lease ends."""
        await repeat(self.step, self._signal, self._settings.poll_seconds, "dispatcher")

    async def step(self) -> int:
        """Do what is due now; answers how much was done."""
        now, limit = self._clock(), self._settings.concurrency
        leases = await deliveries.expired_leases(self._pool, now, limit)
        lookups = await deliveries.due_to_look_up(self._pool, now, limit)
        sends = await deliveries.due_to_send(self._pool, now, limit)
        done = await asyncio.gather(
            *(self._end_lease(due) for due in leases),
            *(self._look_up(due) for due in lookups),
            *(self._send(due) for due in sends),
            return_exceptions=True,
        )
        for error in done:
            if isinstance(error, BaseException):
                raise error
        return sum(map(bool, done))

    async def _send(self, due: Due) -> bool:
        with span("reply send"), canonical(_log, "reply_dispatched", reply_id=str(due.reply_id)) as line:
            attempt = await self._notes.begin(due, in_web_chat=self._is_web_chat(due))
            if attempt is not None:
                outcome = await self._transmit(attempt)
                line.bind(attempt=attempt.reply.attempt, sent=_word(outcome), code=getattr(outcome, "code", None))
                await self._notes.settle(due, attempt.reply.attempt, outcome, can_look_up=self._can_look_up(due))
        return True

    async def _transmit(self, attempt: Attempt) -> Outcome:
        channel = self._channels.get(attempt.due.integration)
        if channel is None:
            return NotArrived("CHANNEL_MISSING", retryable=False)
        latest = attempt.lease_until - timedelta(seconds=self._settings.request_timeout_seconds)
        if self._clock() > latest:
            # This process slept: whoever takes over after the lease must not find two of us sending.
            return NotArrived("LEASE_TOO_SHORT")
        try:
            async with asyncio.timeout(self._settings.request_timeout_seconds):
                return await channel.send(attempt.reply)
        except TimeoutError:
            return Unknown("REQUEST_TIMEOUT")

    async def _end_lease(self, due: Due) -> bool:
        return await self._notes.end_lease(due, can_look_up=self._can_look_up(due))

    async def _look_up(self, due: Due) -> bool:
        channel = self._channels.get(due.integration)
        with span("reply look up"), canonical(_log, "reply_looked_up", reply_id=str(due.reply_id)) as line:
            outcome: Outcome = Unknown("CHANNEL_MISSING") if channel is None else await channel.look_up(due.reply_id)
            line.bind(found=_word(outcome), code=getattr(outcome, "code", None))
            return await self._notes.looked_up(due, outcome, can_look_up=self._can_look_up(due))

    def _can_look_up(self, due: Due) -> bool:
        channel = self._channels.get(due.integration)
        return channel is not None and channel.can_look_up()

    def _is_web_chat(self, due: Due) -> bool:
        integration = self._integrations.get(due.integration)
        return integration is not None and isinstance(integration.reply, WebChatReply)


def _word(outcome: Outcome) -> str:
    return type(outcome).__name__.lower()
