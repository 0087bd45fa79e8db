"""`ascolto drafts`: the queue of replies, and the decisions about them."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, Any
from uuid import uuid4

import grpc
import typer
from google.protobuf.json_format import MessageToDict

from ascolto.approvals.v1 import approval_service_pb2 as pb
from ascolto.approvals.v1.approval_service_pb2_grpc import ApprovalServiceStub
from ascolto.classification.v1.classification_pb2 import Category
from chassis.grpc_client import explain
from cli.channel import channel_to
from cli.console import JSON_OPTION, out, print_json, print_rows
from cli.errors import CommandError
from cli.settings import load_addresses

if TYPE_CHECKING:
    from ascolto.approvals.v1.approval_service_pb2_grpc import ApprovalServiceAsyncStub

app = typer.Typer(help="Drafts: list, show, edit, approve, reject, resolve, retry.", no_args_is_help=True)
Name = Annotated[str, typer.Argument(help='"tenants/.../replies/..." or the id at its end.')]
Json = Annotated[bool, JSON_OPTION]
SHOWN_CHARACTERS = 60


@app.command("list")
def list_drafts(
    state: Annotated[str, typer.Option(help="pending, approved, sent, unresolved, ... or all.")] = "pending",
    limit: Annotated[int, typer.Option(help="At most so many.")] = 50,
    as_json: Json = False,  # noqa: FBT002 - a flag of the command line
) -> None:
    """List replies, the nearest deadline first."""
    states = [] if state == "all" else [_state(state)]
    replies = _run(lambda stub: _listed(stub, states or list(pb.ReplyState.values())[1:], limit))
    rows = [MessageToDict(reply, preserving_proto_field_name=True) for reply in replies]
    if not as_json:
        rows = [_row(reply) for reply in replies]
    print_rows(rows, ["id", "state", "category", "network", "language", "text"], as_json=as_json)


@app.command()
def show(name: Name, as_json: Json = False) -> None:  # noqa: FBT002 - a flag of the command line
    """Show a reply with the conversation that it answers and its evidence."""
    answer = _run(lambda stub: stub.GetReply(pb.GetReplyRequest(name=_full(name))))
    if as_json:
        print_json(MessageToDict(answer, preserving_proto_field_name=True))
        return
    for turn in answer.conversation:
        out.print(f"[dim]{turn.post.network}[/dim] {turn.post.utterance.text}", markup=True)
    print_rows([_row(answer.reply)], ["id", "state", "category", "network", "language"], as_json=False)
    out.print(answer.reply.text, markup=False)
    for evidence in answer.reply.evidence:
        out.print(f"  {evidence.article}: {evidence.passage}", markup=False)


@app.command()
def approve(name: Name, as_json: Json = False) -> None:  # noqa: FBT002 - a flag of the command line
    """Approve exactly the text that stands now."""
    _decide(name, _approve, as_json=as_json)


@app.command()
def edit(name: Name, text: str, as_json: Json = False) -> None:  # noqa: FBT002 - a flag of the command line
    """Replace the text; earlier approvals are void."""
    _decide(name, lambda stub, reply: _edit(stub, reply, text), as_json=as_json)


@app.command()
def reject(
    name: Name,
    reason: Annotated[str, typer.Option(help="For the record, and for a better draft next time.")],
    as_json: Json = False,  # noqa: FBT002 - a flag of the command line
) -> None:
    """Reject a draft."""
    _decide(name, lambda stub, reply: _reject(stub, reply, reason), as_json=as_json)


@app.command()
def resolve(
    name: Name,
    arrived: Annotated[str, typer.Option(help="It arrived: the network's id of it.")] = "",
    not_arrived: Annotated[bool, typer.Option("--not-arrived", help="It did not: it is sent again.")] = False,  # noqa: FBT002 - a flag
    as_json: Json = False,  # noqa: FBT002 - a flag of the command line
) -> None:
    """Settle an unresolved reply that you have looked up on the network."""
    if bool(arrived) == not_arrived:
        raise CommandError("Look it up first, then say either --arrived ID or --not-arrived.")
    _decide(name, lambda stub, reply: _resolve(stub, reply, arrived), as_json=as_json)


@app.command()
def retry(as_json: Json = False) -> None:  # noqa: FBT002 - a flag of the command line
    """Try drafts again that were given up after repeated failures."""
    answer = _run(lambda stub: stub.RetryDrafts(pb.RetryDraftsRequest()))
    if as_json:
        print_json({"drafts": answer.drafts})
    else:
        out.print(f"{answer.drafts} drafts are tried again")


def _decide(
    name: str, act: "Callable[[ApprovalServiceAsyncStub, pb.Reply], Awaitable[pb.Reply]]", *, as_json: bool
) -> None:
    async def decided(stub: "ApprovalServiceAsyncStub") -> pb.Reply:
        standing = await stub.GetReply(pb.GetReplyRequest(name=_full(name)))
        return await act(stub, standing.reply)

    reply = _run(decided)
    if as_json:
        print_json(MessageToDict(reply, preserving_proto_field_name=True))
    else:
        out.print(f"{_row(reply)['id']} is {_row(reply)['state']}")


async def _approve(stub: "ApprovalServiceAsyncStub", reply: pb.Reply) -> pb.Reply:
    request = pb.ApproveReplyRequest(name=reply.name, etag=reply.etag, request_id=str(uuid4()))
    return (await stub.ApproveReply(request)).reply


async def _edit(stub: "ApprovalServiceAsyncStub", reply: pb.Reply, text: str) -> pb.Reply:
    request = pb.EditReplyRequest(name=reply.name, etag=reply.etag, request_id=str(uuid4()), text=text)
    return (await stub.EditReply(request)).reply


async def _reject(stub: "ApprovalServiceAsyncStub", reply: pb.Reply, reason: str) -> pb.Reply:
    request = pb.RejectReplyRequest(name=reply.name, etag=reply.etag, request_id=str(uuid4()), reason=reason)
    return (await stub.RejectReply(request)).reply


async def _resolve(stub: "ApprovalServiceAsyncStub", reply: pb.Reply, arrived: str) -> pb.Reply:
    request = pb.ResolveReplyRequest(name=reply.name, etag=reply.etag, request_id=str(uuid4()))
    if arrived:
        request.arrived_native_id = arrived
    else:
        request.not_arrived = True
    return (await stub.ResolveReply(request)).reply


async def _listed(
    stub: "ApprovalServiceAsyncStub", states: list[pb.ReplyState.ValueType], limit: int
) -> list[pb.Reply]:
    found: list[pb.Reply] = []
    token = ""
    while len(found) < limit:
        request = pb.ListRepliesRequest(states=states, page_size=min(200, limit - len(found)), page_token=token)
        page = await stub.ListReplies(request)
        found += page.replies
        token = page.next_page_token
        if not token:
            break
    return found


def _run(call: "Callable[[ApprovalServiceAsyncStub], Awaitable[Any]]") -> Any:  # noqa: ANN401 - what the call answers
    async def connected() -> Any:  # noqa: ANN401 - as above
        async with channel_to(load_addresses(), "responder") as channel:
            return await call(ApprovalServiceStub(channel))

    try:
        return asyncio.run(connected())
    except grpc.aio.AioRpcError as error:
        raise CommandError(explain(error)) from error


def _full(name: str) -> str:
    return name if name.startswith("tenants/") else f"tenants/{load_addresses().tenant}/replies/{name}"


def _state(word: str) -> pb.ReplyState.ValueType:
    try:
        return pb.ReplyState.Value(f"REPLY_STATE_{word.upper()}")
    except ValueError as error:
        known = ", ".join(name.removeprefix("REPLY_STATE_").lower() for name in pb.ReplyState.keys()[1:])
        raise CommandError(f"{word}: no such state; there are {known}, all.") from error


def _row(reply: pb.Reply) -> dict[str, str]:
    text = reply.text.replace("\n", " ")
    return {
        "id": reply.name.rpartition("/")[2],
        "state": pb.ReplyState.Name(reply.state).removeprefix("REPLY_STATE_").lower(),
        "category": Category.Name(reply.category).removeprefix("CATEGORY_").lower(),
        "network": reply.target.network,
        "language": reply.language,
        "text": text if len(text) <= SHOWN_CHARACTERS else f"{text[:SHOWN_CHARACTERS]}…",
    }
