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
from services.ingest.fetching.coverage import CoverageChange, Reason
from services.ingest.normalizer import SOURCE

STATES: Final[Mapping[Reason | None, coverage.CoverageState.ValueType]] = {
    None: coverage.COVERAGE_STATE_HEARING,
    Reason.SILENT: coverage.COVERAGE_STATE_SILENT,
    Reason.UNREACHABLE: coverage.COVERAGE_STATE_FAILING,
    Reason.RATE_LIMITED: coverage.COVERAGE_STATE_FAILING,
    Reason.AUTH_FAILED: coverage.COVERAGE_STATE_REFUSED,
    Reason.CLOSED: coverage.COVERAGE_STATE_REFUSED,
}


class CoverageOutbox:
    """Publishes changes; `network_of` names the network of an integration, None where there is no such any more."""

    def __init__(self, network_of: Callable[[str], str | None], clock: Clock) -> None:
        self._network_of = network_of
        self._clock = clock

    async def changed(self, connection: Connection, change: CoverageChange) -> None:
        """Promise the event of a change."""
        network = self._network_of(change.integration)
        if network is not None:
            await enqueue(connection, [coverage_event(change, network, self._clock())])


def coverage_event(change: CoverageChange, network: str, now: datetime) -> Outgoing:
    """The record of a change; an account that hears again does so from `now` on. Pure."""
    since = change.now.since or now
    state = STATES[change.now.reason]
    message = coverage.CoverageChanged(
        integration=change.integration,
        network=network,
        state=state,
        reason=change.now.reason.name if change.now.reason else "",
    )
    message.since.FromDatetime(since)
    event_id = coverage_event_id(
        change.tenant, change.integration, coverage.CoverageState.Name(state), since.isoformat()
    )
    metadata = Metadata(
        event_id=event_id,
        source=SOURCE,
        subject=integration_name(change.tenant, change.integration),
        time=now,
        tenant=change.tenant,
        correlation_id=str(event_id),
    )
    event: Event[Message] = Event(metadata, message)
    return encode(COVERAGE, change.integration, event)
