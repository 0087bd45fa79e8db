"""`ascolto insights`: volumes, posts and the live stream of what is learnt."""

import asyncio
import base64
from collections.abc import AsyncIterable, Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, Any

import grpc
import typer
from google.protobuf.json_format import MessageToDict

from ascolto.classification.v1.classification_pb2 import Category
from ascolto.coverage.v1.coverage_pb2 import CoverageChanged, CoverageState
from ascolto.insights.v1 import insights_service_pb2 as pb
from ascolto.insights.v1.insights_service_pb2_grpc import InsightsServiceStub
from chassis.grpc_client import explain
from cli.channel import channel_to
from cli.console import JSON_OPTION, out, print_json, print_rows
from cli.errors import CommandError
from cli.settings import load_addresses

if TYPE_CHECKING:
    from ascolto.insights.v1.insights_service_pb2_grpc import InsightsServiceAsyncStub

app = typer.Typer(help="Insights: volumes, posts, watch.", no_args_is_help=True)
Json = Annotated[bool, JSON_OPTION]
Networks = Annotated[list[str] | None, typer.Option("--network", help="Only these networks.")]
Languages = Annotated[list[str] | None, typer.Option("--language", help="Only these languages.")]
Categories = Annotated[list[str] | None, typer.Option("--category", help="Only these categories.")]
DIMENSIONS = ("category", "network", "language", "hour")


@app.command()
def volumes(
    by: Annotated[list[str] | None, typer.Option(help=f"Broken down by: {', '.join(DIMENSIONS)}.")] = None,
    category: Categories = None,
    network: Networks = None,
    language: Languages = None,
    as_json: Json = False,  # noqa: FBT002 - a flag of the command line
) -> None:
    """Count posts."""
    wanted = by or ["category"]
    request = pb.QueryVolumesRequest(
        filter=_filter(category, network, language), group_by=[_dimension(each) for each in wanted]
    )
    answer: pb.QueryVolumesResponse = _run(lambda stub: stub.QueryVolumes(request))
    rows = [_volume_row(volume) for volume in answer.volumes]
    print_rows(rows, [*wanted, "post_count", "triage_count"], as_json=as_json)
    for gap in answer.gaps:
        if as_json:
            print_json({"gap": MessageToDict(gap, preserving_proto_field_name=True)})
        else:
            out.print(f"[yellow]not counted[/yellow] {_gap_line(gap)}")


@app.command()
def posts(
    category: Categories = None,
    network: Networks = None,
    language: Languages = None,
    limit: Annotated[int, typer.Option(help="At most so many.")] = 20,
    as_json: Json = False,  # noqa: FBT002 - a flag of the command line
) -> None:
    """List the posts behind the counts, newest first."""
    request = pb.ListPostsRequest(filter=_filter(category, network, language), page_size=limit)
    answer: pb.ListPostsResponse = _run(lambda stub: stub.ListPosts(request))
    if as_json:
        for each in answer.posts:
            print_json(MessageToDict(each, preserving_proto_field_name=True))
        return
    rows = [_post_row(each) for each in answer.posts]
    print_rows(rows, ["category", "network", "language", "text"], as_json=False)


@app.command()
def watch(
    cursor: Annotated[str, typer.Option(help="Go on behind this cursor (base64), as an earlier run printed it.")] = "",
    category: Categories = None,
    network: Networks = None,
    language: Languages = None,
    as_json: Json = False,  # noqa: FBT002 - a flag of the command line
) -> None:
    """Print what is learnt as it comes; Ctrl-C ends it, and the last cursor goes on from there."""
    request = pb.WatchInsightsRequest(
        filter=_filter(category, network, language), cursor=base64.b64decode(cursor) if cursor else b""
    )
    try:
        _run(lambda stub: _print_frames(stub.WatchInsights(request), as_json=as_json))
    except KeyboardInterrupt:
        raise typer.Exit(0) from None


async def _print_frames(frames: AsyncIterable[pb.WatchInsightsResponse], *, as_json: bool) -> None:
    async for response in frames:
        if as_json:
            print_json(MessageToDict(response, preserving_proto_field_name=True))
            continue
        for insight in response.batch.insights:
            out.print(_insight_line(insight), markup=False)
        kind = response.WhichOneof("frame")
        if kind in ("checkpoint", "reset", "go_away"):
            cursor = base64.b64encode(getattr(response, kind).cursor).decode()
            out.print(f"[dim]{kind.replace('_', ' ')} · cursor {cursor}[/dim]")


def _insight_line(insight: pb.Insight) -> str:
    match insight.WhichOneof("what"):
        case "post":
            row = _post_row(insight.post)
            return f"{row['category']:<10} {row['network']:<14} {row['language']:<3} {row['text']}"
        case "post_removed":
            return f"removed    {insight.post_removed.post}"
        case "coverage_changed":
            return f"coverage   {_gap_line(insight.coverage_changed)}"
        case _:
            return f"answered   {', '.join(insight.posts_answered.posts)}"


def _gap_line(gap: CoverageChanged) -> str:
    state = CoverageState.Name(gap.state).removeprefix("COVERAGE_STATE_").lower()
    until = f" until {gap.until.ToJsonString()}, for good" if gap.HasField("until") else ""
    return f"{gap.integration} ({gap.network}) {state} since {gap.since.ToJsonString()}{until} {gap.reason}".rstrip()


def _post_row(evidence: pb.PostEvidence) -> dict[str, str]:
    return {
        "category": _word(evidence.classification.category),
        "network": evidence.post.network,
        "language": evidence.classification.language or "und",
        "text": evidence.post.utterance.text.replace("\n", " "),
    }


def _volume_row(volume: pb.Volume) -> dict[str, Any]:
    row: dict[str, Any] = {"post_count": volume.post_count, "triage_count": volume.triage_count}
    if volume.category:
        row["category"] = _word(volume.category)
    row |= {name: getattr(volume, name) for name in ("network", "language") if volume.HasField(name)}
    if volume.HasField("hour"):
        row["hour"] = volume.hour.ToJsonString()
    return row


def _filter(categories: list[str] | None, networks: list[str] | None, languages: list[str] | None) -> pb.Filter:
    return pb.Filter(
        categories=[_category(word) for word in categories or ()], networks=networks or (), languages=languages or ()
    )


def _category(word: str) -> Category.ValueType:
    try:
        return Category.Value(f"CATEGORY_{word.upper()}")
    except ValueError as error:
        raise CommandError(f"{word}: no such category; there are question, complaint, feedback, other.") from error


def _dimension(word: str) -> pb.Dimension.ValueType:
    if word not in DIMENSIONS:
        raise CommandError(f"{word}: no such dimension; there are {', '.join(DIMENSIONS)}.")
    return pb.Dimension.Value(f"DIMENSION_{word.upper()}")


def _word(category: Category.ValueType) -> str:
    return Category.Name(category).removeprefix("CATEGORY_").lower()


def _run(call: "Callable[[InsightsServiceAsyncStub], Awaitable[Any]]") -> Any:  # noqa: ANN401 - what the call answers
    async def connected() -> Any:  # noqa: ANN401 - as above
        async with channel_to(load_addresses(), "feedback") as channel:
            return await call(InsightsServiceStub(channel))

    try:
        return asyncio.run(connected())
    except grpc.aio.AioRpcError as error:
        raise CommandError(explain(error)) from error
