"""`ascolto integrations`: the accounts that are listened to; secrets go in by reference and never come back."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import grpc
import typer
from google.protobuf.json_format import MessageToDict

from ascolto.ingest.v1 import integrations_service_pb2 as pb
from ascolto.ingest.v1.integrations_service_pb2_grpc import IntegrationsServiceStub
from chassis.grpc_client import explain
from cli.channel import channel_to
from cli.console import JSON_OPTION, print_json, print_rows
from cli.errors import CommandError
from cli.settings import load_addresses
from contracts.integrations import resolve_secret
from services.ingest.connectors import connectors

if TYPE_CHECKING:
    from google.protobuf.message import Message

    from ascolto.ingest.v1.integrations_service_pb2_grpc import IntegrationsServiceAsyncStub

app = typer.Typer(
    help="Integrations: add, list, test, rotate, disable, enable the accounts that are listened to.",
    no_args_is_help=True,
)
Id = Annotated[str, typer.Argument(metavar="ID", help='The id, or "tenants/.../integrations/...".')]
Json = Annotated[bool, JSON_OPTION]
WHERE: Final = "env:NAME or file:PATH: where the secret stands; "
KIND: Final = "INTEGRATION_KIND_"
COLUMNS: Final = ("id", "kind", "network", "account", "secrets", "state", "source", "delivers_to")


@app.command()
def add(  # noqa: PLR0913 - what an integration is made of
    integration_id: Annotated[str, typer.Argument(metavar="ID", help="Lower-case letters, digits and hyphens.")],
    *,
    network: Annotated[str, typer.Option(help="A network of docs/networks.md; none for an import.")] = "",
    kind: Annotated[str, typer.Option(help="webhook, poll, stream, mailbox, web_chat or import.")] = "",
    account: Annotated[str, typer.Option(help="The account's own id on the network: tells its own posts.")] = "",
    url: Annotated[str, typer.Option(help="The instance or site, where a network has many.")] = "",
    secret: Annotated[list[str] | None, typer.Option(help=WHERE + "up to two, the newest first.")] = None,
    verify_token: Annotated[str, typer.Option(help=WHERE + "for the handshake of Meta.")] = "",
    own_author: Annotated[list[str] | None, typer.Option(help="An id or handle that is the brand itself.")] = None,
    origin: Annotated[list[str] | None, typer.Option(help="Web chat: a page that may embed the widget.")] = None,
    setting: Annotated[list[str] | None, typer.Option(help="NAME=VALUE: what the network needs beside that.")] = None,
    as_json: Json = False,
) -> None:
    """Listen to an account, within seconds and without a restart."""
    wanted = pb.Integration(
        kind=_kind(kind or _usual_kind(network)),
        network=network,
        account=account,
        url=url.rstrip("/"),
        own_authors=own_author or [],
        allowed_origins=origin or [],
        settings=dict(map(_setting, setting or [])),
    )
    request = pb.AddIntegrationRequest(
        integration_id=integration_id,
        integration=wanted,
        secrets=[_resolved(each) for each in secret or []],
        verify_token=_resolved(verify_token) if verify_token else "",
    )
    answer = _run(lambda stub: stub.AddIntegration(request))
    _print([answer.integration], as_json=as_json)


@app.command("list")
def list_integrations(*, as_json: Json = False) -> None:
    """List the integrations of the file and those that were added."""
    _print(_run(_listed), as_json=as_json)


@app.command("test")
def try_out(
    integration: Id,
    *,
    payload: Annotated[list[Path] | None, typer.Option(help="A payload as the network sends it.")] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what the last 20 items, of payloads or the network, would become.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Check what is configured; nothing is kept. Ends with 1 where a check does not pass.

    With --dry-run and no payload the network is asked, or its stream listened to for up to 20 seconds.
    """
    if payload and not dry_run:
        raise CommandError("Say --payload FILE --dry-run: the payloads are tried, and nothing is kept.")
    payloads = [_content(each) for each in payload or []]
    request = pb.TestIntegrationRequest(name=_full(integration), payloads=payloads, fetch=dry_run and not payload)
    answer = _run(lambda stub: stub.TestIntegration(request))
    if as_json:
        print_json(_plain(answer))
    else:
        print_rows([_check(each) for each in answer.checks], ["check", "passed", "detail"], as_json=False)
        print_rows([_trial(each) for each in answer.trials], ["becomes", "id", "detail"], as_json=False)
    failed = [each.name for each in answer.checks if not each.passed]
    if failed:
        raise CommandError(f"{integration}: not well: {', '.join(failed)}.")


@app.command()
def rotate(
    integration: Id,
    *,
    secret: Annotated[str, typer.Option(help=WHERE + "the one of before counts until the next rotation.")] = "",
    drop_previous: Annotated[bool, typer.Option("--drop-previous", help="All but the newest end now.")] = False,
    verify_token: Annotated[str, typer.Option(help=WHERE + "for the handshake of Meta.")] = "",
    as_json: Json = False,
) -> None:
    """Give a new secret; end the old one with --drop-previous once the network signs with the new one."""
    request = pb.RotateIntegrationRequest(
        name=_full(integration),
        secret=_resolved(secret) if secret else "",
        drop_previous=drop_previous,
        verify_token=_resolved(verify_token) if verify_token else "",
    )
    answer = _run(lambda stub: stub.RotateIntegration(request))
    _print([answer.integration], as_json=as_json)


@app.command()
def disable(integration: Id, *, as_json: Json = False) -> None:
    """Listen no more; what was heard stays."""
    request = pb.DisableIntegrationRequest(name=_full(integration))
    _print([_run(lambda stub: stub.DisableIntegration(request)).integration], as_json=as_json)


@app.command()
def enable(integration: Id, *, as_json: Json = False) -> None:
    """Listen again."""
    request = pb.EnableIntegrationRequest(name=_full(integration))
    _print([_run(lambda stub: stub.EnableIntegration(request)).integration], as_json=as_json)


async def _listed(stub: "IntegrationsServiceAsyncStub") -> list[pb.Integration]:
    found: list[pb.Integration] = []
    token = ""
    while True:
        page = await stub.ListIntegrations(pb.ListIntegrationsRequest(page_size=200, page_token=token))
        found += page.integrations
        token = page.next_page_token
        if not token:
            return found


def _run(call: "Callable[[IntegrationsServiceAsyncStub], Awaitable[Any]]") -> Any:  # noqa: ANN401 - what the call answers
    async def connected() -> Any:  # noqa: ANN401 - as above
        async with channel_to(load_addresses(), "ingest") as channel:
            return await call(IntegrationsServiceStub(channel))

    try:
        return asyncio.run(connected())
    except grpc.aio.AioRpcError as error:
        raise CommandError(explain(error)) from error


def _full(name: str) -> str:
    return name if name.startswith("tenants/") else f"tenants/{load_addresses().tenant}/integrations/{name}"


def _usual_kind(network: str) -> str:
    connector = connectors().get(network)
    if connector is None:
        raise CommandError(f"Say --kind, or --network with one of {', '.join(connectors())}.")
    return connector.transports[0]


def _kind(word: str) -> pb.IntegrationKind.ValueType:
    try:
        return pb.IntegrationKind.Value(KIND + word.upper())
    except ValueError as error:
        known = ", ".join(name.removeprefix(KIND).lower() for name in pb.IntegrationKind.keys()[1:])
        raise CommandError(f"{word}: no such kind; there are {known}.") from error


def _setting(given: str) -> tuple[str, str]:
    name, separator, value = given.partition("=")
    if not name or not separator:
        raise CommandError(f"{given}: a setting is NAME=VALUE.")
    return name, value


def _resolved(reference: str) -> str:
    try:
        return resolve_secret(reference)
    except ValueError as error:
        raise CommandError(f"A secret cannot be read: {error}.") from error


def _content(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise CommandError(f"{file}: {error.strerror}") from error


def _print(found: list[pb.Integration], *, as_json: bool) -> None:
    rows = [_plain(each) if as_json else _row(each) for each in found]
    print_rows(rows, COLUMNS, as_json=as_json)


def _plain(message: "Message") -> Mapping[str, Any]:
    return MessageToDict(message, preserving_proto_field_name=True)


def _row(integration: pb.Integration) -> dict[str, object]:
    return {
        "id": integration.name.rpartition("/")[2],
        "kind": pb.IntegrationKind.Name(integration.kind).removeprefix(KIND).lower(),
        "network": integration.network,
        "account": integration.account,
        "secrets": integration.secret_count,
        "state": "disabled" if integration.HasField("disable_time") else "listens",
        "source": pb.IntegrationSource.Name(integration.source).removeprefix("INTEGRATION_SOURCE_").lower(),
        "delivers_to": integration.hook_path,
    }


def _check(check: pb.Check) -> dict[str, object]:
    return {"check": check.name, "passed": "yes" if check.passed else "no", "detail": check.detail}


def _trial(trial: pb.Trial) -> dict[str, object]:
    if trial.WhichOneof("outcome") == "ignored":
        return {"becomes": f"ignored: {trial.ignored.reason}", "id": "", "detail": trial.ignored.detail}
    post = trial.post.post
    return {"becomes": "a post", "id": post.native_id, "detail": post.utterance.text.replace("\n", " ")}
