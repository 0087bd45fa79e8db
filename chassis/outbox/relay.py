"""The relay of an outbox as a part of a process: it outlives lost sessions and ends in order."""

import asyncio
from contextlib import suppress

import asyncpg
import structlog

from chassis.outbox.metrics import RelayMetrics
from chassis.outbox.session import open_session
from chassis.outbox.settings import RelaySettings
from chassis.outbox.worker import Publisher, Worker
from chassis.postgres import POSTGRES_UNAVAILABLE, PostgresSettings, closed_means_unavailable

_RECONNECT_SECONDS = 0.5
_log = structlog.get_logger(__name__)


class Relay:
    """Publishes the outbox of one schema; run one in each replica, they share the shards.

    It holds them by the locks of its session, so POSTGRES_DSN must not lead through a pooler that shares sessions.

    A row is deleted after its acknowledgement, and a batch starts with the oldest row that is left. So a crash
    in between repeats messages, but whatever happens the first appearance of each is in the order of its shard.
    """

    def __init__(
        self,
        postgres: PostgresSettings,
        publisher: Publisher,
        *,
        schema: str,
        application_name: str,
        settings: RelaySettings,
    ) -> None:
        self._postgres = postgres
        self._publisher = publisher
        self._schema = schema
        self._application_name = application_name
        self._settings = settings
        self._metrics = RelayMetrics(schema)
        self._wake = asyncio.Event()
        self._stop = asyncio.Event()
        self._lost: str | None = None
        self._worker: Worker | None = None

    def hint(self) -> None:
        """Tell that rows were committed just now: the relay looks at once instead of at its next poll."""
        self._wake.set()

    def trouble(self) -> str | None:
        """Answer what keeps rows waiting, or None: a check for `Health.add_degradation`."""
        if self._lost:
            return f"the outbox waits for PostgreSQL ({self._lost})"
        troubles = self._worker.troubles() if self._worker else []
        return f"the outbox waits for Kafka ({troubles[0]}, {len(troubles)} shards)" if troubles else None

    async def run(self) -> None:
        """Relay until cancelled; then let the batches under way end, for as long as the settings allow."""
        working = asyncio.create_task(self._work(), name=f"outbox-relay-{self._schema}")
        try:
            await asyncio.shield(working)
        finally:
            self._stop.set()
            self._wake.set()
            try:
                await asyncio.wait({working}, timeout=self._settings.drain_seconds)
            finally:
                working.cancel()
                with suppress(asyncio.CancelledError):
                    await working

    async def _work(self) -> None:
        while not self._stop.is_set():
            try:
                with closed_means_unavailable():
                    await self._work_in_a_session()
            except (asyncpg.QueryCanceledError, *POSTGRES_UNAVAILABLE) as error:
                self._lost = type(error).__name__
                _log.warning("outbox_session_lost", schema=self._schema, error_class=self._lost)
                await self._pause()

    async def _pause(self) -> None:
        """Wait before the next try, no longer than until the stop."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_RECONNECT_SECONDS):
                await self._stop.wait()

    async def _work_in_a_session(self) -> None:
        async with open_session(
            self._postgres,
            schema=self._schema,
            application_name=self._application_name,
            on_loss=self._wake.set,
        ) as session:
            self._lost = None
            worker = Worker(session, self._publisher, self._settings, self._metrics, self._wake)
            self._worker = worker
            try:
                while not self._stop.is_set():
                    await worker.step()
                await worker.drain()
            finally:
                await worker.abandon()
