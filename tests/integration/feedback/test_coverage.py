"""Accounts that do not hear: named beside every count, told on the stream, forgotten when they hear again."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from ascolto.coverage.v1 import coverage_pb2 as coverage
from ascolto.insights.v1 import insights_service_pb2 as pb
from chassis.postgres import Pool
from services.feedback.handlers import Projector
from tests.factories import NOW, timestamp
from tests.integration.feedback.records import covered, facts_of
from tests.integration.feedback.serving import Reader, Served, Stub, serving

pytestmark = pytest.mark.integration
HEARING, SILENT, REFUSED, FAILING = (
    coverage.COVERAGE_STATE_HEARING,
    coverage.COVERAGE_STATE_SILENT,
    coverage.COVERAGE_STATE_REFUSED,
    coverage.COVERAGE_STATE_FAILING,
)
LATER = NOW + timedelta(minutes=5)


@pytest.fixture
async def served(pool: Pool) -> AsyncIterator[Served]:
    async with serving(pool) as served:
        yield served


async def gaps(stub: Stub, *networks: str) -> list[tuple[str, str]]:
    answer = await stub.QueryVolumes(pb.QueryVolumesRequest(filter=pb.Filter(networks=networks)))
    return [(gap.integration, coverage.CoverageState.Name(gap.state)) for gap in answer.gaps]


async def test_a_gap_stands_beside_the_counts_of_its_network_and_tenant(served: Served, projector: Projector) -> None:
    await projector.handle(facts_of([covered(SILENT), covered(REFUSED, integration="acme-t", network="telegram")]))
    stub = await served.caller()
    assert await gaps(stub) == [("acme-t", "COVERAGE_STATE_REFUSED"), ("acme-x", "COVERAGE_STATE_SILENT")]
    assert await gaps(stub, "telegram") == [("acme-t", "COVERAGE_STATE_REFUSED")]
    assert await gaps(await served.caller("other")) == []


@pytest.mark.parametrize("reversed_order", [False, True])
@pytest.mark.parametrize("together", [False, True])
async def test_the_later_change_stands_however_they_arrive(
    served: Served, projector: Projector, *, reversed_order: bool, together: bool
) -> None:
    changes = [covered(SILENT), covered(HEARING, since=LATER)]
    facts = facts_of(reversed(changes) if reversed_order else changes)
    for batch in [facts] if together else [[fact] for fact in facts]:
        await projector.handle(batch)
    assert await gaps(await served.caller()) == []


async def test_a_silence_that_began_before_what_was_told_of_last_stands(served: Served, projector: Projector) -> None:
    silence = covered(SILENT, since=NOW - timedelta(hours=1), told=LATER)
    await projector.handle(facts_of([covered(HEARING), silence]))
    assert await gaps(await served.caller()) == [("acme-x", "COVERAGE_STATE_SILENT")]


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [(None, None, 1), (NOW, None, 1), (LATER, None, 0), (None, NOW, 0), (None, LATER, 1)],
)
async def test_a_gap_of_the_past_stands_beside_counts_of_that_time_alone(
    served: Served, projector: Projector, start: datetime | None, end: datetime | None, expected: int
) -> None:
    await projector.handle(facts_of([covered(HEARING), covered(FAILING, until=LATER)]))
    request = pb.QueryVolumesRequest()
    for name, bound in (("start_time", start), ("end_time", end)):
        if bound is not None:
            getattr(request, name).CopyFrom(timestamp(bound))
    answer = await (await served.caller()).QueryVolumes(request)
    assert [gap.until.ToDatetime(tzinfo=UTC) for gap in answer.gaps] == [LATER] * expected


async def test_the_stream_tells_of_a_gap(served: Served, projector: Projector) -> None:
    await projector.handle(facts_of([covered(SILENT)]))
    reader = Reader(await served.caller())
    await reader.catch_up()
    assert reader.insights[0].coverage_changed.integration == "acme-x"
