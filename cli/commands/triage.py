"""`ascolto triage`: what waits for a person, and what people said; `ascolto decision`: how a post was decided."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final
from uuid import uuid4

import grpc
import typer
from google.protobuf.json_format import MessageToDict

from ascolto.classification.v1 import classification_pb2 as classification
from ascolto.routing.v1 import routing_service_pb2 as pb
from ascolto.routing.v1.routing_service_pb2_grpc import RoutingServiceStub
from chassis.grpc_client import explain
from cli.channel import caller_of, channel_to
from cli.console import JSON_OPTION, err, out, print_json, print_rows, printable
from cli.correcting import Corrected, Word
from cli.correcting import correct as correct_once
from cli.decision_lines import ETAG_SHOWN, HISTORY, history_row, id_of, said, waiting, word
from cli.errors import CommandError
from cli.private_file import whole_or_nothing
from cli.routing_store import routing_store
from cli.settings import Addresses, load_addresses
from contracts.topics import ROUTING
from services.routing.store.labels import Example, edited_since, examples
from services.routing.vocabulary import CATEGORIES, KINDS, NO_KIND

if TYPE_CHECKING:
    from ascolto.routing.v1.routing_service_pb2_grpc import RoutingServiceAsyncStub

app = typer.Typer(help="Posts that wait for a person: list, correct, export.", no_args_is_help=True)
Post = Annotated[str, typer.Argument(help='"tenants/.../posts/..." or the id at its end.')]
Json = Annotated[bool, JSON_OPTION]
STATEMENT_SECONDS: Final = 300


@app.command("list")
def list_triage(
    language: Annotated[list[str] | None, typer.Option(help="Such as it; again for more; left out: all.")] = None,
    limit: Annotated[int, typer.Option(help="At most so many.")] = 50,
    as_json: Json = False,  # noqa: FBT002 - a flag of the command line
) -> None:
    """List what the models were not sure of, in the order in which it should be looked at."""
    for decision in _run(lambda stub: _listed(stub, language or [], limit)):
        if as_json:
            print_json(_plain(decision))
            continue
        for line in waiting(decision):
            out.print(line, markup=False, no_wrap=True, overflow="ellipsis")


@app.command()
def correct(  # noqa: PLR0913, PLR0917 - what can be said of a post
    post: Post,
    category: Annotated[str, typer.Argument(help="question, complaint, feedback or other.")],
    reason: Annotated[str, typer.Option(help="Why: for your colleagues, and for better models.")],
    kind: Annotated[str, typer.Option(help="Finer, such as bug_report; must be of the category.")] = "",
    etag: Annotated[
        str, typer.Option(help="Of the decision that you saw, as `triage list` and `ascolto decision` show it.")
    ] = "",
    request_id: Annotated[str, typer.Option(help="Repeats a correction whose answer was lost; with its --etag.")] = "",
    as_json: Json = False,  # noqa: FBT002 - a flag of the command line
) -> None:
    """Say what a post is: it stands over every model, earlier or later.

    With --etag it is refused where another decision stands by now; without, where somebody else has said what it is.
    """
    if etag and len(etag) < ETAG_SHOWN:
        raise CommandError(f"--etag {etag}: is too short; give {ETAG_SHOWN} characters at least.")
    if request_id and not etag:
        raise CommandError("--request-id repeats a correction: give its --etag, too, and everything else as it was.")
    wanted = Word(_full(post), _category(category), _kind(kind), reason, etag.lower(), request_id or str(uuid4()))
    caller = caller_of(load_addresses())
    _print_corrected(_run(lambda stub: correct_once(stub, wanted, caller)), as_json=as_json)


def _print_corrected(corrected: Corrected, *, as_json: bool) -> None:
    decision, former = corrected
    if as_json:
        print_json(_plain(decision) | ({"former": _plain(former)} if former else {}))
        return
    out.print(f"{id_of(decision)} is {word(decision)}", markup=False)
    out.print(f"  it was: {said(former) if former else 'not known any more'}", markup=False)
    if decision.HasField("post"):
        out.print(f"  it says: {printable(decision.post.utterance.text)}", markup=False)


@app.command()
def export(
    file: Annotated[Path, typer.Argument(help="Where the JSON lines go; it must not be there yet.")],
) -> None:
    """Write what people said of posts, for training.

    The file holds what people wrote: keep it as you keep your database, and delete it when you are done. Posts that
    were deleted or edited since are not in it. Until it is whole it is called FILE.part.
    """
    addresses = load_addresses()
    with whole_or_nothing(file) as lines:
        written = asyncio.run(_export(addresses, lambda example: lines.write(_line(example))))
        left_out = asyncio.run(_left_out(addresses))
    err.print(f"{written} labels of {addresses.tenant} in {file}. It holds what people wrote: keep it safe.")
    if left_out:
        err.print(f"Left out: {left_out} labels of posts that were edited since, and say something else by now.")


def decision(post: Post, as_json: Json = False) -> None:  # noqa: FBT002 - a flag of the command line
    """Show what a post was taken for, by whom and why, and what was decided before."""
    answer = _run(lambda stub: stub.GetDecision(pb.GetDecisionRequest(post=_full(post))))
    if as_json:
        print_json(_plain(answer))
        return
    standing = answer.decision
    if standing.HasField("post"):
        out.print(f"{standing.post.network}: {printable(standing.post.utterance.text)}", markup=False)
    out.print(f"It is {said(standing)}. Its etag is {standing.etag}", markup=False)
    print_rows([history_row(each) for each in (standing, *answer.earlier)], HISTORY, as_json=False)
    for each in standing.classification.evidence:
        place = f" at {each.start} to {each.end}" if each.HasField("start") else ""
        out.print(f"  {each.output}: {printable(each.feature)}{place}", markup=False)


async def _export(addresses: Addresses, write: Callable[[Example], object]) -> int:
    written = 0
    async for example in _labels(addresses):
        write(example)
        written += 1
    return written


async def _labels(addresses: Addresses) -> AsyncIterator[Example]:
    """A generator of its own, so that what goes wrong with the store is told apart from what its reader does."""
    async with routing_store(addresses, "ascolto-export", statement_seconds=STATEMENT_SECONDS) as session:
        async for example in examples(session, addresses.tenant):
            yield example


async def _left_out(addresses: Addresses) -> int:
    async with routing_store(addresses, "ascolto-export", statement_seconds=STATEMENT_SECONDS) as session:
        return await edited_since(session, addresses.tenant)


def _line(example: Example) -> str:
    return json.dumps(asdict(example), ensure_ascii=False, default=str) + "\n"


def _plain(message: pb.Decision | pb.GetDecisionResponse) -> dict[str, Any]:
    return MessageToDict(message, preserving_proto_field_name=True)


async def _listed(stub: "RoutingServiceAsyncStub", languages: list[str], limit: int) -> list[pb.Decision]:
    found: list[pb.Decision] = []
    token = ""
    while len(found) < limit:
        request = pb.ListTriageRequest(languages=languages, page_size=min(200, limit - len(found)), page_token=token)
        page = await stub.ListTriage(request)
        found += page.decisions
        token = page.next_page_token
        if not token:
            break
    return found


def _run(call: "Callable[[RoutingServiceAsyncStub], Awaitable[Any]]") -> Any:  # noqa: ANN401 - what the call answers
    async def connected() -> Any:  # noqa: ANN401 - as above
        async with channel_to(load_addresses(), ROUTING) as channel:
            return await call(RoutingServiceStub(channel))

    try:
        return asyncio.run(connected())
    except grpc.aio.AioRpcError as error:
        raise CommandError(explain(error)) from error


def _full(name: str) -> str:
    return name if name.startswith("tenants/") else f"tenants/{load_addresses().tenant}/posts/{name}"


def _category(word: str) -> classification.Category.ValueType:
    if word not in CATEGORIES:
        raise CommandError(f"{word}: no such category; there are {', '.join(CATEGORIES)}.")
    return CATEGORIES[word]


def _kind(word: str) -> classification.Kind.ValueType:
    if word and (word == NO_KIND or word not in KINDS):
        known = ", ".join(each for each in KINDS if each != NO_KIND)
        raise CommandError(f"{word}: no such kind; there are {known}.")
    return KINDS[word or NO_KIND]
