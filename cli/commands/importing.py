"""`ascolto import`: posts from a file of JSON lines, or from a table whose columns a map names, into ingest."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, TypeAlias

import grpc
import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from ascolto.ingest.v1.ingest_service_pb2 import SubmitPostsRequest, SubmitPostsResponse
from ascolto.ingest.v1.ingest_service_pb2_grpc import IngestServiceStub
from chassis.grpc_client import explain
from cli.channel import channel_to
from cli.console import JSON_OPTION, err, out, print_json
from cli.errors import CommandError
from cli.settings import Addresses, load_addresses
from cli.tables import our_rows, table_reader
from services.ingest.importrows import Row
from services.ingest.rawpost import Invalid
from services.ingest.submission import to_submitted

if TYPE_CHECKING:
    from ascolto.ingest.v1.ingest_service_pb2_grpc import IngestServiceAsyncStub

POSTS_PER_REQUEST: Final = 500
POSTS_PER_STREAM: Final = 2_000
"""What is sent again when a stream breaks; ingest recognises what it has kept already."""
ATTEMPTS: Final = 5
PAUSE_SECONDS: Final = 2.0
STREAM_DEADLINE_SECONDS: Final = 120.0

Reader: TypeAlias = Callable[[Path], Iterator[Row]]


@dataclass
class Report:
    """What became of the rows of a file."""

    file: Path
    accepted: int = 0
    duplicates: int = 0
    rejected: list[str] = field(default_factory=list)
    """"line: field: what is wrong", the first thousand."""
    rejected_count: int = 0

    def reject(self, line_number: int, invalid: Invalid) -> None:
        """Remember a row that was not taken, and tell it at once."""
        self.rejected_count += 1
        message = f"{self.file}:{line_number}: {invalid.field + ': ' if invalid.field else ''}{invalid.description}"
        if len(self.rejected) < 1_000:  # noqa: PLR2004 - what a person may still read
            self.rejected.append(message)
            err.print(message, markup=False)


def import_file(  # noqa: PLR0913, PLR0917 - options of the command line
    file: Annotated[Path, typer.Argument(help="JSON lines or a table (CSV): samples/README.md describes both.")],
    integration: Annotated[str, typer.Option(help="The integration that speaks.")] = "lumora-import",
    column_map: Annotated[
        Path | None, typer.Option("--map", help="TOML: which column of a table holds which field.")
    ] = None,
    column: Annotated[
        list[str] | None, typer.Option(help="field=column, or field==constant; before what the map says.")
    ] = None,
    encoding: Annotated[str | None, typer.Option(help="Of a table; UTF-8 and UTF-16 are recognised.")] = None,
    as_json: Annotated[bool, JSON_OPTION] = False,  # noqa: FBT002 - a flag of the command line
) -> None:
    """Import the posts of FILE; bad rows are named and passed over, and the exit code is then 1."""
    rows = table_reader(file, column_map, column or [], encoding)
    report = asyncio.run(submit_file(load_addresses(), file, integration, rows=rows, quiet=as_json))
    if as_json:
        print_json({"file": file, **_counts(report)})
    else:
        out.print(f"{file}: {report.accepted} accepted, {report.duplicates} known already", end="")
        out.print(f", [red]{report.rejected_count} refused[/red]" if report.rejected_count else "")
    if report.rejected_count:
        raise CommandError(f"{report.rejected_count} rows of {file} were not taken; mend them and import it again.")


async def submit_file(
    addresses: Addresses, file: Path, integration: str, *, rows: Reader = our_rows, quiet: bool = False
) -> Report:
    """Send every good row to ingest; raises CommandError where ingest refuses or stays away."""
    report = Report(file)
    try:
        with file.open("rb") as counted:
            total = sum(1 for line in counted if line.strip())
        with _progress(quiet=quiet) as progress:
            task = progress.add_task(file.name, total=total)
            async with channel_to(addresses, "ingest") as channel:
                stub = IngestServiceStub(channel)
                for chunk in _chunks(rows(file)):
                    await _submit(stub, integration, chunk, report)
                    progress.advance(task, len(chunk))
    except OSError as error:
        raise CommandError(f"{file}: {error.strerror}") from error
    return report


def _chunks(rows: Iterator[Row]) -> Iterator[list[Row]]:
    while chunk := list(islice(rows, POSTS_PER_STREAM)):
        yield chunk


async def _submit(stub: "IngestServiceAsyncStub", integration: str, rows: list[Row], report: Report) -> None:
    good = []
    for row in rows:
        if isinstance(row.post, Invalid):
            report.reject(row.line_number, row.post)
        else:
            good.append((row.line_number, to_submitted(row.post)))
    requests = [
        SubmitPostsRequest(integration=integration, posts=[post for _, post in good[at : at + POSTS_PER_REQUEST]])
        for at in range(0, len(good), POSTS_PER_REQUEST)
    ]
    if not requests:
        return
    response = await _insist(stub, requests)
    report.accepted += response.accepted_count
    report.duplicates += response.duplicate_count
    for rejection in response.rejections:
        report.reject(good[rejection.index][0], Invalid(rejection.field, rejection.description))


async def _insist(stub: "IngestServiceAsyncStub", requests: list[SubmitPostsRequest]) -> SubmitPostsResponse:
    """Send the stream; again where ingest was away, which is safe because it knows what it kept."""
    for attempt in range(1, ATTEMPTS + 1):
        try:
            return await stub.SubmitPosts(iter(requests), timeout=STREAM_DEADLINE_SECONDS)
        except grpc.aio.AioRpcError as error:
            if error.code() != grpc.StatusCode.UNAVAILABLE or attempt == ATTEMPTS:
                raise CommandError(explain(error)) from error
            await asyncio.sleep(PAUSE_SECONDS)
    raise AssertionError("the last attempt returns or raises")


def _progress(*, quiet: bool) -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=err, transient=True, disable=quiet or not err.is_terminal)


def _counts(report: Report) -> dict[str, object]:
    return {
        "accepted": report.accepted,
        "duplicates": report.duplicates,
        "rejected": report.rejected_count,
        "rejections": report.rejected,
    }
