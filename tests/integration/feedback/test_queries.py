"""QueryVolumes and ListPosts over gRPC: what they count and list, for whom, and what they refuse."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from ascolto.classification.v1 import classification_pb2 as classification
from ascolto.insights.v1 import insights_service_pb2 as pb
from chassis.postgres import Pool
from services.feedback.handlers import Projector
from services.feedback.store.coverage import record_complete_through
from tests.factories import NOW, timestamp
from tests.integration.feedback.records import classified, corrected, deleted, facts_of, history, name_of, sent
from tests.integration.feedback.serving import Served, Stub, reason_of, serving

pytestmark = pytest.mark.integration
COMPLAINT, QUESTION = classification.CATEGORY_COMPLAINT, classification.CATEGORY_QUESTION
ABSTAINED = classification.DECISION_ABSTAINED
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


@pytest.fixture
async def served(pool: Pool) -> AsyncIterator[Served]:
    async with serving(pool) as served:
        yield served


@pytest.fixture
async def stub(served: Served) -> Stub:
    return await served.caller()


async def total(stub: Stub, **parts: Any) -> int:
    response = await stub.QueryVolumes(pb.QueryVolumesRequest(**parts))
    return sum(volume.post_count for volume in response.volumes)


async def test_without_dimensions_there_is_one_total_even_of_nothing(stub: Stub, projector: Projector) -> None:
    response = await stub.QueryVolumes(pb.QueryVolumesRequest())
    assert list(response.volumes) == [pb.Volume()]
    await projector.handle(facts_of(history()))
    response = await stub.QueryVolumes(pb.QueryVolumesRequest())
    assert list(response.volumes) == [pb.Volume(post_count=6, triage_count=1)]


async def test_only_the_dimensions_asked_for_are_set(stub: Stub, projector: Projector) -> None:
    await projector.handle(facts_of([classified(), classified(QUESTION, create_time=NOW + HOUR)]))
    group_by = [pb.DIMENSION_CATEGORY, pb.DIMENSION_HOUR]
    response = await stub.QueryVolumes(pb.QueryVolumesRequest(group_by=group_by))
    assert list(response.volumes) == [
        pb.Volume(category=COMPLAINT, hour=timestamp(NOW), post_count=1),
        pb.Volume(category=QUESTION, hour=timestamp(NOW + HOUR), post_count=1),
    ]


@pytest.mark.parametrize(
    ("start", "end", "posts"),
    [
        (None, None, 12),
        (NOW, NOW + HOUR, 4),
        (NOW + 15 * MINUTE, NOW + 75 * MINUTE, 4),
        (NOW + 20 * MINUTE, NOW + 40 * MINUTE, 1),
        (NOW + 15 * MINUTE, None, 11),
        (None, NOW + 61 * MINUTE, 5),
        (NOW + 3 * HOUR, NOW + 4 * HOUR, 0),
    ],
)
async def test_a_range_is_counted_to_the_microsecond(
    stub: Stub, projector: Projector, start: datetime | None, end: datetime | None, posts: int
) -> None:
    quarters = [classified(native_id=f"p{n}", create_time=NOW + 15 * n * MINUTE) for n in range(12)]
    await projector.handle(facts_of(quarters))
    bounds: dict[str, Any] = {"start_time": start and timestamp(start), "end_time": end and timestamp(end)}
    assert await total(stub, **bounds) == posts
    listed = await stub.ListPosts(pb.ListPostsRequest(**bounds))
    assert len(listed.posts) == posts


@pytest.mark.parametrize(
    ("narrowed", "posts"),
    [
        (pb.Filter(categories=[COMPLAINT]), 2),
        (pb.Filter(networks=["x", "y"]), 3),
        (pb.Filter(networks=["telegram"], categories=[QUESTION]), 1),
        (pb.Filter(languages=["PT-br"]), 1),
        (pb.Filter(triage=True), 1),
        (pb.Filter(triage=False), 3),
    ],
)
async def test_a_filter_narrows_counts_and_lists_alike(
    stub: Stub, projector: Projector, narrowed: pb.Filter, posts: int
) -> None:
    said = [
        classified(),
        classified(language="pt"),
        classified(QUESTION, network="telegram"),
        classified(QUESTION, decision=ABSTAINED),
    ]
    await projector.handle(facts_of(said))
    assert await total(stub, filter=narrowed) == posts
    assert len((await stub.ListPosts(pb.ListPostsRequest(filter=narrowed))).posts) == posts


async def test_posts_come_newest_first_with_what_was_said(stub: Stub, projector: Projector) -> None:
    said = [classified(native_id=f"p{n}", text=f"text {n}", create_time=NOW + n * MINUTE) for n in range(3)]
    await projector.handle(facts_of([*said, sent(name_of("p1")), deleted(native_id="p0")]))
    posts = (await stub.ListPosts(pb.ListPostsRequest())).posts
    assert [post.post.utterance.text for post in posts] == ["text 2", "text 1"]
    assert [post.HasField("answered") and post.answered for post in posts] == [False, True]


async def test_a_correction_moves_the_post_to_the_other_category(stub: Stub, projector: Projector) -> None:
    await projector.handle(facts_of([classified(native_id="p", decision=ABSTAINED), corrected(native_id="p")]))
    assert await total(stub, filter=pb.Filter(triage=True)) == 0
    (post,) = (await stub.ListPosts(pb.ListPostsRequest(filter=pb.Filter(categories=[QUESTION])))).posts
    assert post.classification.decision == classification.DECISION_CORRECTED


async def test_pages_join_without_gap_or_repeat(stub: Stub, projector: Projector) -> None:
    # Pairs of posts share their time, so that it alone would not be enough to go on from.
    said = [classified(native_id=f"p{n}", create_time=NOW + n // 2 * MINUTE) for n in range(25)]
    await projector.handle(facts_of(said))
    names, token = [], ""
    for _ in range(5):
        page = await stub.ListPosts(pb.ListPostsRequest(page_size=5, page_token=token))
        names += [post.post.name for post in page.posts]
        token = page.next_page_token
    assert (len(names), len(set(names)), token) == (25, 25, "")


async def test_a_page_of_heavy_posts_fits_into_a_message(stub: Stub, projector: Projector) -> None:
    await projector.handle(facts_of(classified(native_id=f"p{n}", text="x" * 900_000) for n in range(6)))
    names, token = [], None
    while token != "":
        page = await stub.ListPosts(pb.ListPostsRequest(page_token=token or ""))
        names += [post.post.name for post in page.posts]
        token = page.next_page_token
    assert len(set(names)) == len(names) == 6


async def test_completeness_is_told_once_it_is_known(stub: Stub, pool: Pool) -> None:
    assert not (await stub.QueryVolumes(pb.QueryVolumesRequest())).HasField("complete_through")
    await record_complete_through(pool, NOW)
    await record_complete_through(pool, NOW - HOUR)
    assert (await stub.QueryVolumes(pb.QueryVolumesRequest())).complete_through == timestamp(NOW)


async def test_another_tenant_sees_nothing(served: Served, projector: Projector) -> None:
    await projector.handle(facts_of(history()))
    stranger = await served.caller(tenant="globex")
    assert await total(stranger) == 0
    assert not (await stranger.ListPosts(pb.ListPostsRequest())).posts


@pytest.mark.parametrize(
    "request_",
    [pb.QueryVolumesRequest(), pb.ListPostsRequest(), pb.WatchInsightsRequest()],
    ids=lambda request: type(request).__name__,
)
async def test_other_roles_are_refused(served: Served, request_: Any) -> None:
    agent = await served.caller(roles=["agent", "approver", "admin"])
    call = getattr(agent, type(request_).__name__.removesuffix("Request"))
    assert await reason_of(call(request_)) == "ROLE_MISSING"


@pytest.mark.parametrize(
    "request_",
    [
        pb.QueryVolumesRequest(start_time=timestamp(NOW), end_time=timestamp(NOW)),
        pb.QueryVolumesRequest(group_by=[pb.DIMENSION_UNSPECIFIED]),
        pb.QueryVolumesRequest(group_by=[77]),  # type: ignore[list-item]
        pb.QueryVolumesRequest(filter=pb.Filter(categories=[classification.CATEGORY_UNSPECIFIED])),
        pb.QueryVolumesRequest(filter=pb.Filter(networks=[""])),
        pb.QueryVolumesRequest(filter=pb.Filter(networks=[f"n{n}" for n in range(101)])),
        pb.ListPostsRequest(page_size=-1),
        pb.ListPostsRequest(filter=pb.Filter(languages=["a\x00"])),
    ],
)
async def test_a_question_that_makes_no_sense_is_refused(stub: Stub, request_: Any) -> None:
    call = getattr(stub, type(request_).__name__.removesuffix("Request"))
    assert await reason_of(call(request_)) == "FIELD_INVALID"


async def test_a_page_token_is_good_for_its_own_question_only(stub: Stub, served: Served, projector: Projector) -> None:
    await projector.handle(facts_of([*history(), *history("globex")]))
    token = (await stub.ListPosts(pb.ListPostsRequest(page_size=1))).next_page_token
    other_filter = pb.ListPostsRequest(page_token=token, filter=pb.Filter(networks=["x"]))
    assert await reason_of(stub.ListPosts(other_filter)) == "PAGE_TOKEN_INVALID"
    stranger = await served.caller(tenant="globex")
    assert await reason_of(stranger.ListPosts(pb.ListPostsRequest(page_token=token))) == "PAGE_TOKEN_INVALID"


async def test_too_many_cells_are_refused_in_words(
    stub: Stub, projector: Projector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.feedback.servicer.MAX_CELLS", 3)
    await projector.handle(facts_of(classified(network=f"n{n}") for n in range(4)))
    by_network = pb.QueryVolumesRequest(group_by=[pb.DIMENSION_NETWORK])
    assert await reason_of(stub.QueryVolumes(by_network)) == "TOO_MANY_VOLUMES"
