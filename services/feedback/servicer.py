"""`InsightsService`: counts, the posts behind them, and the stream of insights."""

from collections.abc import AsyncIterator, Sequence
from enum import auto
from typing import Any, Final

from ascolto.classification.v1.classification_pb2 import CATEGORY_UNSPECIFIED
from ascolto.insights.v1 import insights_service_pb2 as pb
from ascolto.insights.v1 import insights_service_pb2_grpc as pb_grpc
from chassis.api_errors import ErrorReason, invalid_argument
from chassis.auth import require
from chassis.cursor import CursorCodec
from chassis.grpc_server import draining
from chassis.postgres import Pool, Row
from services.feedback import metrics
from services.feedback.cursors import Cursors, Place
from services.feedback.filters import read_filter, read_range
from services.feedback.store.coverage import gaps
from services.feedback.store.evidence import list_posts
from services.feedback.store.volumes import complete_through, query_volumes
from services.feedback.tailer import Tailer
from services.feedback.vocabulary import CATEGORIES
from services.feedback.watching import InsightStream, Watch

ROLES: Final = ("product", "engineer")
MAX_CELLS: Final = 10_000
DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE = 50, 200
_DIMENSIONS: Final = {
    pb.DIMENSION_CATEGORY: "category",
    pb.DIMENSION_NETWORK: "network",
    pb.DIMENSION_LANGUAGE: "language",
    pb.DIMENSION_HOUR: "hour",
}


class InsightsReason(ErrorReason):
    """Why a question cannot be answered as it was asked."""

    TOO_MANY_VOLUMES = auto()


class InsightsServicer(pb_grpc.InsightsServiceServicer):
    """Answers for the tenant of the caller, whoever that is; no request can name another."""

    def __init__(
        self, pool: Pool, tailer: Tailer, codec: CursorCodec, *, checkpoint_seconds: float, max_stream_seconds: float
    ) -> None:
        self._pool = pool
        self._tailer = tailer
        self._codec = codec
        self._checkpoint_seconds = checkpoint_seconds
        self._max_stream_seconds = max_stream_seconds

    async def QueryVolumes(  # noqa: N802 - named by the proto
        self,
        request: pb.QueryVolumesRequest,
        context: Any,  # noqa: ANN401, ARG002 - as above
    ) -> pb.QueryVolumesResponse:
        """Counts of live posts, broken down as asked."""
        tenant = require(*ROLES).tenant
        narrowed, span, group_by = read_filter(request.filter), read_range(request), _group_by(request.group_by)
        complete = await complete_through(self._pool)
        rows = await query_volumes(self._pool, tenant, narrowed, span, group_by, limit=MAX_CELLS + 1)
        if len(rows) > MAX_CELLS:
            advice = f"gives more than {MAX_CELLS} volumes: narrow the time or the filter, or group by less"
            raise invalid_argument("group_by", advice, InsightsReason.TOO_MANY_VOLUMES)
        volumes = [_volume(row) for row in rows]
        response = pb.QueryVolumesResponse(
            volumes=volumes if volumes or group_by else [pb.Volume()],
            gaps=await gaps(self._pool, tenant, narrowed.networks, span),
        )
        if complete is not None:
            response.complete_through.FromDatetime(complete)
        return response

    async def ListPosts(  # noqa: N802 - named by the proto
        self,
        request: pb.ListPostsRequest,
        context: Any,  # noqa: ANN401, ARG002 - as above
    ) -> pb.ListPostsResponse:
        """The posts behind a count, newest first."""
        tenant = require(*ROLES).tenant
        narrowed, span, size = read_filter(request.filter), read_range(request), _page_size(request.page_size)
        cursors = Cursors(self._codec, "posts", tenant, *narrowed.words(), *span.words())
        after = cursors.open_page_token(request.page_token) if request.page_token else None
        rows, more = await list_posts(self._pool, tenant, narrowed, span, after, limit=size)
        token = cursors.seal_page_token(Place(rows[-1]["event_time"], rows[-1]["post_name"])) if more else ""
        return pb.ListPostsResponse(posts=[_evidence(row) for row in rows], next_page_token=token)

    async def WatchInsights(  # noqa: N802 - named by the proto
        self,
        request: pb.WatchInsightsRequest,
        context: Any,  # noqa: ANN401, ARG002 - as above
    ) -> AsyncIterator[pb.WatchInsightsResponse]:
        """Every insight behind the cursor, then new ones as they come, until a GoAway."""
        tenant = require(*ROLES).tenant
        narrowed = read_filter(request.filter)
        cursors = Cursors(self._codec, "insights", tenant, *narrowed.words())
        start = cursors.open(request.cursor) if request.cursor else None
        watch = Watch(tenant, narrowed, cursors, self._checkpoint_seconds, self._max_stream_seconds, draining())
        with metrics.watching():
            async for frame in InsightStream(self._tailer, watch).frames(start):
                yield frame


def _group_by(dimensions: Sequence[pb.Dimension.ValueType]) -> set[str]:
    unknown = [each for each in dimensions if each not in _DIMENSIONS]
    if unknown:
        raise invalid_argument("group_by", "holds a value that is no dimension")
    return {_DIMENSIONS[each] for each in dimensions}


def _page_size(given: int) -> int:
    if given < 0:
        raise invalid_argument("page_size", f"must be between 0 (which means {DEFAULT_PAGE_SIZE}) and {MAX_PAGE_SIZE}")
    return min(given or DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE)


def _volume(row: Row) -> pb.Volume:
    volume = pb.Volume(
        category=CATEGORIES.get(row["category"], CATEGORY_UNSPECIFIED),
        network=row["network"],
        language=row["language"],
        post_count=row["post_count"],
        triage_count=row["triage_count"],
    )
    if row["hour"] is not None:
        volume.hour.FromDatetime(row["hour"])
    return volume


def _evidence(row: Row) -> pb.PostEvidence:
    evidence = pb.PostEvidence.FromString(row["evidence"])
    if row["answered"]:
        evidence.answered = True
    return evidence
