"""`ascolto normalize`: what payloads become, without any server."""

import base64
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Final
from uuid import UUID

import typer
from google.protobuf.json_format import MessageToDict

from cli.console import JSON_OPTION, print_json
from cli.errors import CommandError
from contracts.integrations import Integration
from services.ingest.chatbody import chat_post, parse_chat
from services.ingest.hookbody import parse_hook
from services.ingest.importrows import parse_rows
from services.ingest.normalizer import Accepted, Normalizer
from services.ingest.rawpost import Invalid, RawPost

TRIAL_KEY: Final = base64.b64encode(b"trial: no deployment has this key").ljust(32)
"""Pseudonyms of a trial run; a deployment's own key gives others."""
TRIAL_MESSAGE: Final = UUID(int=0)
TRIAL_TIME: Final = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Found:
    """One post of a file, or what is wrong with it."""

    line: int | None
    post: RawPost | Invalid


def _hook(content: bytes) -> Iterable[Found]:
    parsed = parse_hook(content, "generic")
    return [Found(None, parsed)] if isinstance(parsed, Invalid) else [Found(None, post) for post in parsed]


def _chat(content: bytes) -> Iterable[Found]:
    parsed = parse_chat(content)
    if isinstance(parsed, Invalid):
        return [Found(None, parsed)]
    message_id = parsed.id or TRIAL_MESSAGE
    return [Found(None, chat_post(parsed, message_id, "trial", "web_chat", received_at=TRIAL_TIME))]


def _rows(content: bytes) -> Iterable[Found]:
    return [Found(row.line_number, row.post) for row in parse_rows(content.splitlines())]


READERS: Final[Mapping[str, Callable[[bytes], Iterable[Found]]]] = {
    "jsonl": _rows,
    "standard_webhooks": _hook,
    "web_chat": _chat,
}


def normalize(
    network: Annotated[str, typer.Argument(help=f"How to read the files: {', '.join(READERS)}.")],
    files: Annotated[list[Path], typer.Argument(help="Payloads, as the network sends them.")],
    as_json: Annotated[bool, JSON_OPTION] = False,  # noqa: ARG001, FBT002 - this command prints JSON anyway
) -> None:
    """Print the posts of each payload, or the reason why something is ignored; one JSON object a line."""
    reader = READERS.get(network)
    if reader is None:
        raise CommandError(f"{network}: no such reader; there are {', '.join(READERS)}.")
    integration = Integration(id="trial", tenant="trial", kind="import")
    normalizer = Normalizer(integration, TRIAL_KEY)
    for file in files:
        for line in _lines(normalizer, reader, file):
            print_json(line)


def _lines(normalizer: Normalizer, reader: Callable[[bytes], Iterable[Found]], file: Path) -> Iterator[dict[str, Any]]:
    try:
        content = file.read_bytes()
    except OSError as error:
        raise CommandError(f"{file}: {error.strerror}") from error
    for found in reader(content):
        place: dict[str, Any] = {"file": str(file)} | ({"line": found.line} if found.line else {})
        yield place | _outcome(normalizer, found.post)


def _outcome(normalizer: Normalizer, raw: RawPost | Invalid) -> dict[str, Any]:
    result = raw if isinstance(raw, Invalid) else normalizer.normalize(raw, received_at=TRIAL_TIME)
    if isinstance(result, Accepted):
        shown = MessageToDict(result.event.message, preserving_proto_field_name=True)
        return {"event_id": str(result.event.metadata.event_id), **shown}
    return {"ignored": result.description, "field": result.field}
