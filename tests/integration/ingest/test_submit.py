"""`IngestService.SubmitPosts` over real gRPC."""

from collections.abc import Iterator

import grpc
import pytest

from ascolto.ingest.v1.ingest_service_pb2 import SubmitPostsRequest, SubmitPostsResponse, SubmittedPost
from ascolto.ingest.v1.ingest_service_pb2_grpc import IngestServiceStub
from chassis.dev_issuer import DevIssuer
from chassis.grpc_client import explain_details, open_channel
from services.ingest.decoding import convert
from services.ingest.rawpost import RawPost
from services.ingest.submission import to_submitted
from tests.integration.ingest.polling import until
from tests.integration.ingest.running import Running, post

pytestmark = pytest.mark.integration


def submitted(native_id: str) -> SubmittedPost:
    raw = convert(post(native_id, network="telegram", create_time="2026-11-22T08:00:00Z"), RawPost)
    assert isinstance(raw, RawPost)
    return to_submitted(raw)


async def submit(
    ingest: Running,
    issuer: DevIssuer,
    requests: Iterator[SubmitPostsRequest],
    *,
    role: str = "engineer",
    tenant: str | None = None,
) -> SubmitPostsResponse:
    token = issuer.mint("importer", tenant or ingest.account.tenant, [role])
    async with open_channel(ingest.grpc_target, token) as channel:
        response: SubmitPostsResponse = await IngestServiceStub(channel).SubmitPosts(requests, timeout=20)
    return response


async def test_a_stream_is_counted_kept_and_published(ingest: Running, issuer: DevIssuer) -> None:
    requests = [
        SubmitPostsRequest(integration=ingest.account.imports, posts=[submitted("1"), submitted("2")]),
        SubmitPostsRequest(
            integration=ingest.account.imports, posts=[submitted("2"), SubmittedPost(network="x"), submitted("3")]
        ),
    ]
    response = await submit(ingest, issuer, iter(requests))
    assert (response.accepted_count, response.duplicate_count, response.rejected_count) == (3, 1, 1)
    assert [(each.index, each.field) for each in response.rejections] == [(3, "kind")]
    events = await until(ingest.published, lambda events: len(events) == 3)
    assert {event.message.post.network for event in events} == {"telegram"}


async def test_the_same_stream_again_is_all_duplicates(ingest: Running, issuer: DevIssuer) -> None:
    request = SubmitPostsRequest(integration=ingest.account.imports, posts=[submitted(str(n)) for n in range(500)])
    first = await submit(ingest, issuer, iter([request]))
    again = await submit(ingest, issuer, iter([request]))
    assert (first.accepted_count, again.accepted_count, again.duplicate_count) == (500, 0, 500)


@pytest.mark.parametrize(
    ("role", "tenant", "status"),
    [
        ("approver", None, grpc.StatusCode.PERMISSION_DENIED),
        ("engineer", "somebody-else", grpc.StatusCode.NOT_FOUND),
    ],
)
async def test_only_an_engineer_of_the_tenant_may_submit(
    ingest: Running, issuer: DevIssuer, role: str, tenant: str | None, status: grpc.StatusCode
) -> None:
    request = SubmitPostsRequest(integration=ingest.account.imports, posts=[submitted("1")])
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await submit(ingest, issuer, iter([request]), role=role, tenant=tenant)
    assert caught.value.code() == status
    assert await ingest.rows() == []


async def test_a_stream_speaks_for_one_integration_in_bounded_requests(ingest: Running, issuer: DevIssuer) -> None:
    account = ingest.account
    streams = [
        [SubmitPostsRequest(integration=account.imports), SubmitPostsRequest(integration=account.hook)],
        [SubmitPostsRequest(integration=account.imports, posts=[submitted("1")] * 501)],
    ]
    for requests in streams:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await submit(ingest, issuer, iter(requests))
        details = explain_details(caught.value)
        assert details is not None
        assert (caught.value.code(), details.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "FIELD_INVALID")
