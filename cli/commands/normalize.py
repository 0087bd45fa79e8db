"""`ascolto normalize`: what payloads become, without any server."""

import base64
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from google.protobuf.json_format import MessageToDict

from cli.console import JSON_OPTION, print_json
from cli.errors import CommandError
from contracts.integrations import Integration
from services.ingest.captures import read_capture
from services.ingest.connector import Account, Ignored, Outcome, Reason
from services.ingest.connectors import connectors
from services.ingest.importrows import parse_rows
from services.ingest.normalizer import Accepted, Normalizer
from services.ingest.rawpost import Invalid, RawPost

TRIAL_KEY: Final = base64.b64encode(b"trial: no deployment has this key").ljust(32)
"""Pseudonyms of a trial run; a deployment's own key gives others."""
TRIAL_TIME: Final = datetime(2000, 1, 1, tzinfo=UTC)
ROWS: Final = "jsonl"
CAPTURES: Final = ("capture", "handmade", "signatures")
"""Captured deliveries {"headers": ..., "body": ...}, and the names of folders that collect them."""


@dataclass(frozen=True)
class Found:
    """What a part of a file becomes; `line` where the file has lines."""

    outcome: Outcome
    line: int | None = None


def normalize(
    network: Annotated[str, typer.Argument(help="A network of docs/networks.md, jsonl, or capture.")],
    files: Annotated[list[Path], typer.Argument(help="Payloads, as the network sends them.")],
    account: Annotated[str, typer.Option(help="The account's own id on the network: tells its own posts.")] = "",
    url: Annotated[str, typer.Option(help="The instance or site, such as https://forum.example.")] = "",
    as_json: Annotated[bool, JSON_OPTION] = False,  # noqa: ARG001, FBT002 - this command prints JSON anyway
) -> None:
    """Print the posts of each payload, or the reason why something is ignored; one JSON object a line."""
    if network not in {ROWS, *CAPTURES, *connectors()}:
        raise CommandError(f"{network}: no such network; there are {', '.join(connectors())}, {ROWS}, {CAPTURES[0]}.")
    normalizer = Normalizer(Integration(id="trial", tenant="trial", kind="import"), TRIAL_KEY)
    for file in files:
        for found in _read(network, _content(file), Account(account, url.rstrip("/"))):
            place: dict[str, Any] = {"file": str(file)} | ({"line": found.line} if found.line else {})
            print_json(place | _shown(normalizer, found.outcome))


def _content(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise CommandError(f"{file}: {error.strerror}") from error


def _read(network: str, content: bytes, account: Account) -> Iterable[Found]:
    if network == ROWS:
        return _rows(content)
    if network not in CAPTURES:
        return map(Found, connectors()[network].normalize(content, account))
    read = read_capture(content)
    return [Found(read)] if isinstance(read, Ignored) else _read(*read, account)


def _rows(content: bytes) -> Iterator[Found]:
    for row in parse_rows(content.splitlines()):
        yield Found(_invalid(row.post) if isinstance(row.post, Invalid) else row.post, row.line_number)


def _shown(normalizer: Normalizer, outcome: Outcome) -> dict[str, Any]:
    if isinstance(outcome, Ignored):
        return {"ignored": outcome.reason.name, "reason": outcome.reason.value, "detail": outcome.detail}
    result = normalizer.normalize(outcome, received_at=TRIAL_TIME)
    return _accepted(outcome, result) if isinstance(result, Accepted) else _shown(normalizer, _invalid(result))


def _accepted(raw: RawPost, result: Accepted) -> dict[str, Any]:
    """The event as it would be published, and the author's id, of which it holds the pseudonym alone."""
    shown = MessageToDict(result.event.message, preserving_proto_field_name=True)
    author = {"author_id": raw.author.id} if raw.author else {}
    return {"event_id": str(result.event.metadata.event_id), **author, **shown}


def _invalid(invalid: Invalid) -> Ignored:
    return Ignored(Reason.INVALID, f"{invalid.field}: {invalid.description}" if invalid.field else invalid.description)
