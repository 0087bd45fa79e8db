"""`ascolto triage`: what waits for a person, and what people said; `ascolto decision`: how a post was decided."""

import asyncio
import json
import os
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final
from uuid import uuid4

import grpc
import typer
from google.protobuf.json_format import MessageToDict
from pydantic import SecretStr

from ascolto.classification.v1 import classification_pb2 as classification
from ascolto.routing.v1 import routing_service_pb2 as pb
from ascolto.routing.v1.routing_service_pb2_grpc import RoutingServiceStub
from chassis.grpc_client import explain
from chassis.postgres import POSTGRES_UNAVAILABLE, PostgresSettings, connect
from cli.channel import channel_to
from cli.console import JSON_OPTION, err, out, print_json, print_rows
from cli.errors import CommandError
from cli.settings import load_addresses
from contracts.topics import ROUTING
from services.routing.store.labels import Example, examples
from services.routing.vocabulary import CATEGORIES, CATEGORY_WORDS, KIND_WORDS, KINDS, NO_KIND

if TYPE_CHECKING:
    from ascolto.routing.v1.routing_service_pb2_grpc import RoutingServiceAsyncStub

app = typer.Typer(help="Posts that wait for a person: list, correct, export.", no_args_is_help=True)
Post = Annotated[str, typer.Argument(help='"tenants/.../posts/..." or the id at its end.')]
Json = Annotated[bool, JSON_OPTION]
SHOWN_CHARACTERS: Final = 60
_PRIVATE: Final = 0o600
_COLUMNS: Final = ["id", "category", "urgency", "text"]
_HISTORY: Final = ["category", "kind", "decision", "probability", "detail"]
"""What fits 80 columns; `--json` has everything."""


@app.command("list")
def list_triage(
    language: Annotated[list[str] | None, typer.Option(help="Such as it; again for more; left out: all.")] = None,
    limit: Annotated[int, typer.Option(help="At most so many.")] = 50,
    as_json: Json = False,  # noqa: FBT002 - a flag of the command line
) -> None:
    """List what the models were not sure of, in the order in which it should be looked at."""
    decisions = _run(lambda stub: _listed(stub, language or [], limit))
    rows = [MessageToDict(each, preserving_proto_field_name=True) for each in decisions]
    print_rows(rows if as_json else [_row(each) for each in decisions], _COLUMNS, as_json=as_json)


@app.command()
def correct(
    post: Post,
    category: Annotated[str, typer.Argument(help="question, complaint, feedback or other.")],
    reason: Annotated[str, typer.Option(help="Why: for your colleagues, and for better models.")],
    kind: Annotated[str, typer.Option(help="Finer, such as bug_report; must be of the category.")] = "",
    as_json: Json = False,  # noqa: FBT002 - a flag of the command line
) -> None:
    """Say what a post is: it stands over every model, earlier or later."""
    wanted, finer = _category(category), _kind(kind)

    async def corrected(stub: "RoutingServiceAsyncStub") -> pb.Decision:
        standing = (await stub.GetDecision(pb.GetDecisionRequest(post=_full(post)))).decision
        request = pb.CorrectCategoryRequest(
            post=standing.post_name,
            category=wanted,
            kind=finer,
            reason=reason,
            etag=standing.etag,
            request_id=str(uuid4()),
        )
        return (await stub.CorrectCategory(request)).decision

    decision = _run(corrected)
    if as_json:
        print_json(MessageToDict(decision, preserving_proto_field_name=True))
    else:
        out.print(f"{_id(decision)} is {CATEGORY_WORDS[decision.classification.category]}")


@app.command()
def export(
    file: Annotated[Path, typer.Argument(help="Where the JSON lines go; it must not be there yet.")],
) -> None:
    """Write what people said of posts, for training.

    The file holds what people wrote: keep it as you keep your database, and delete it when you are done. Posts that
    were deleted since are not in it.
    """
    addresses = load_addresses()
    settings = PostgresSettings(dsn=SecretStr(addresses.need("postgres_dsn")))
    try:
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _PRIVATE), "w", encoding="utf-8") as lines:
            written = asyncio.run(_export(settings, addresses.tenant, lambda example: lines.write(_line(example))))
    except FileExistsError as error:
        raise CommandError(f"{file}: is there already; name another file, or move it away.") from error
    except POSTGRES_UNAVAILABLE as error:
        raise CommandError(f"The labels cannot be read: {error}") from error
    err.print(f"{written} labels of {addresses.tenant} in {file}. It holds what people wrote: keep it safe.")


def decision(post: Post, as_json: Json = False) -> None:  # noqa: FBT002 - a flag of the command line
    """Show what a post was taken for, by whom and why, and what was decided before."""
    answer = _run(lambda stub: stub.GetDecision(pb.GetDecisionRequest(post=_full(post))))
    if as_json:
        print_json(MessageToDict(answer, preserving_proto_field_name=True))
        return
    standing = answer.decision
    if standing.HasField("post"):
        out.print(f"{standing.post.network}: {standing.post.utterance.text}", markup=False)
    print_rows([_told(each) for each in (standing, *answer.earlier)], _HISTORY, as_json=False)
    for each in standing.classification.evidence:
        place = f" at {each.start} to {each.end}" if each.HasField("start") else ""
        out.print(f"  {each.output}: {each.feature}{place}", markup=False)


async def _export(settings: PostgresSettings, tenant: str, write: Callable[[Example], object]) -> int:
    connection = await connect(settings, schema=ROUTING, application_name="ascolto-export")
    written = 0
    try:
        async for example in examples(connection, tenant):
            write(example)
            written += 1
    finally:
        await connection.close()
    return written


def _line(example: Example) -> str:
    return json.dumps(asdict(example), ensure_ascii=False, default=str) + "\n"


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


def _id(decision: pb.Decision) -> str:
    return decision.post_name.rpartition("/")[2]


def _row(decision: pb.Decision) -> dict[str, str]:
    judged, text = decision.classification, decision.post.utterance.text.replace("\n", " ")
    level = classification.UrgencyLevel.Name(judged.urgency.level).removeprefix("URGENCY_LEVEL_").lower()
    return {
        "id": _id(decision),
        "category": f"{CATEGORY_WORDS[judged.category]}?",
        "urgency": "" if level in {"unspecified", "normal"} else level,
        "text": text if len(text) <= SHOWN_CHARACTERS else f"{text[:SHOWN_CHARACTERS]}…",
    }


def _told(decision: pb.Decision) -> dict[str, str]:
    judged = decision.classification
    share = next((each.probability for each in judged.probabilities if each.category == judged.category), None)
    return {
        "category": CATEGORY_WORDS[judged.category],
        "kind": KIND_WORDS.get(judged.kind, NO_KIND),
        "decision": classification.Decision.Name(judged.decision).removeprefix("DECISION_").lower(),
        "probability": "" if share is None else f"{share:.2f}",
        "detail": " ".join(filter(None, (judged.model, decision.corrected_by, decision.correction_reason))),
    }
