"""CloudEvents 1.0 (https://cloudevents.io) with our own posts as data: structured, in batches, or binary.

Binary mode keeps the attributes in headers, so such a delivery is read as {"headers": ..., "body": ...}.
"""

import base64
import binascii
from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import unquote

from services.ingest.captures import body_of
from services.ingest.connector import (
    MALFORMED,
    Account,
    Capabilities,
    Connector,
    Ignored,
    Outcome,
    Reason,
    all_of,
    yes,
)
from services.ingest.connectors._ownshape import is_post, items, posts_of
from services.ingest.payload import ABSENT, Node, read_json
from services.ingest.verification import BEARER

NETWORK: Final = "cloudevents"
_PREFIX: Final = "ce-"
_REQUIRED: Final = ("id", "source", "specversion", "type")
_CHANGES: Final = {"post.created": "created", "post.edited": "edited", "post.deleted": "deleted"}


def normalize(body: bytes, account: Account) -> list[Outcome]:  # noqa: ARG001 - `own` says whose a post is
    """Read an event, a batch, or a captured request in any of the three modes."""
    document = read_json(body)
    if document is not None and document["headers"].is_object():
        document = _delivered(document)
    if document is None or not (document.is_object() or document.is_list()):
        return [MALFORMED]
    return all_of(outcome for event in (document if document.is_list() else [document]) for outcome in _event(event))


def _delivered(capture: Node) -> Node | None:
    """The event or events of a request: its body, unless its headers hold the attributes."""
    headers = {name.lower(): each.text() or "" for name, each in capture["headers"].members()}
    attributes: dict[str, Any] = {
        name.removeprefix(_PREFIX): unquote(value) for name, value in headers.items() if name.startswith(_PREFIX)
    }
    if not attributes:
        return read_json(body_of(capture))
    data = read_json(body_of(capture))
    return Node({**attributes, "data": data.value if data else None})


def _event(event: Node) -> Iterator[Outcome]:
    missing = [name for name in _REQUIRED if not event[name].text()]
    if missing:
        yield Ignored(Reason.MALFORMED, f"an event needs {', '.join(missing)}")
        return
    kind, data = event["type"].text() or "", _data(event)
    if isinstance(data, Ignored):
        yield data if kind in _CHANGES else _no_post(kind)
    elif kind in _CHANGES:
        yield from posts_of(data, {"change": _CHANGES[kind]}, {"network": NETWORK, **_timed(event, kind)})
    elif all(map(is_post, items(data))):
        yield from posts_of(data, {}, {"network": NETWORK})
    else:
        yield _no_post(kind)


def _timed(event: Node, kind: str) -> dict[str, Any]:
    """What the time of an event tells of its posts, where they do not say it themselves."""
    time = event["time"].time()
    if time is None or kind == "post.deleted":
        return {}
    return {"create_time": time} if kind == "post.created" else {"revision": int(time.timestamp())}


def _no_post(kind: str) -> Ignored:
    return Ignored(Reason.NO_POST, f"an event of type {kind}")


def _data(event: Node) -> Node | Ignored:
    """The data, or what is wrong with them: `data` and `data_base64` exclude each other."""
    plain, encoded = event["data"], event["data_base64"]
    if plain.value is not None and encoded.value is not None:
        return Ignored(Reason.MALFORMED, "an event has data or data_base64, not both")
    if encoded.value is not None:
        return _decoded(encoded)
    # Some producers put the JSON of the data into a text.
    return (read_json(plain.value.encode("utf-8", "replace")) or ABSENT) if isinstance(plain.value, str) else plain


def _decoded(encoded: Node) -> Node | Ignored:
    try:
        data = read_json(base64.b64decode(encoded.text() or "", validate=True))
    except (binascii.Error, ValueError):
        return Ignored(Reason.INVALID, "data_base64 is no base64")
    return data if data is not None else Ignored(Reason.INVALID, "data_base64 holds no JSON")


CONNECTOR: Final = Connector(
    network=NETWORK,
    title="CloudEvents",
    transports=("webhook",),
    normalize=normalize,
    verification=BEARER,
    capabilities=Capabilities(
        edits=yes("type post.edited, or `change` in the data; with a revision of 2 or more"),
        deletes=yes("type post.deleted, or `change` in the data"),
        threads=yes("native_thread_id and native_parent_id"),
        own_posts=yes("own, or own_authors of the integration"),
        media=yes("kind, address, alternative text, length, transcript"),
        language=yes("language"),
        permalinks=yes("permalink"),
        reply=yes("a signed webhook to the address of the integration"),
        limits="data are JSON in our own shape of a post; 1 MiB a delivery",
        proven=("the structured and the batch format of the specification, whose examples bring no post",),
        unproven=("binary mode",),
    ),
)
