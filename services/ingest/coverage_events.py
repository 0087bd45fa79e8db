"""Changes of coverage as events: promised through the outbox, in the transaction that keeps the change itself."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final

from google.protobuf.message import Message

from ascolto.coverage.v1 import coverage_pb2 as coverage
from chassis.clock import Clock
from chassis.messages import Outgoing
from chassis.outbox import enqueue
from chassis.postgres import Connection
from contracts.codec import Event, Metadata, encode
from contracts.identity import coverage_event_id, integration_name
from contracts.topics import COVERAGE
from services.ingest.fetching.coverage import CoverageChange, Gap, Reason
from services.ingest.normalizer import SOURCE

STATES: Final[Mapping[Reason | None, coverage.CoverageState.ValueType]] = {
    None: coverage.COVERAGE_STATE_HEARING,
    Reason.SILENT: coverage.COVERAGE_STATE_SILENT,
    Reason.UNREACHABLE: coverage.COVERAGE_STATE_FAILING,
    Reason.RATE_LIMITED: coverage.COVERAGE_STATE_FAILING,
    Reason.AUTH_FAILED: coverage.COVERAGE_STATE_REFUSED,
    Reason.CLOSED: coverage.COVERAGE_STATE_REFUSED,
    Reason.UNUSABLE: coverage.COVERAGE_STATE_REFUSED,
    Reason.DISABLED: coverage.COVERAGE_STATE_DISABLED,
}


class CoverageOutbox:
    """Publishes what is told of accounts; `network_of` names an integration's network, None where it is no more."""

    def __init__(self, network_of: Callable[[str], str | None], clock: Clock) -> None:
        self._network_of = network_of
        self._clock = clock

    async def changed(self, connection: Connection, change: CoverageChange) -> None:
        """Promise the event of a change."""
        network = self._network_of(change.integration)
        if network is not None:
            await enqueue(connection, [coverage_event(change, network, self._clock())])

    async def missed(self, connection: Connection, gap: Gap) -> None:
        """Promise the event of a gap that nothing can close any more."""
        network = self._network_of(gap.integration)
        if network is not None:
            await enqueue(connection, [gap_event(gap, network)])


def coverage_event(change: CoverageChange, network: str, now: datetime) -> Outgoing:
    """The record of a change; an account that hears again does so from `now` on. Pure."""
    message = coverage.CoverageChanged(
        integration=change.integration,
        network=network,
        state=STATES[change.now.reason],
        reason=change.now.reason.name if change.now.reason else "",
    )
    message.since.FromDatetime(change.now.since or now)
    if change.heard_at is not None:
        message.last_heard_time.FromDatetime(change.heard_at)
    return _record(message, change.tenant, now)


def gap_event(gap: Gap, network: str) -> Outgoing:
    """The record of a gap that is over and stays. Pure."""
    message = coverage.CoverageChanged(
        integration=gap.integration,
        network=network,
        state=coverage.COVERAGE_STATE_FAILING,
        reason=gap.reason.name,
    )
    message.since.FromDatetime(gap.since)
    message.until.FromDatetime(gap.until)
    return _record(message, gap.tenant, gap.until)


def _record(message: coverage.CoverageChanged, tenant: str, now: datetime) -> Outgoing:
    state = message.reason or coverage.CoverageState.Name(message.state)
    event_id = coverage_event_id(tenant, message.integration, state, now.isoformat())
    metadata = Metadata(
        event_id=event_id,
        source=SOURCE,
        subject=integration_name(tenant, message.integration),
        time=now,
        tenant=tenant,
        correlation_id=str(event_id),
    )
    event: Event[Message] = Event(metadata, message)
    return encode(COVERAGE, message.integration, event)
