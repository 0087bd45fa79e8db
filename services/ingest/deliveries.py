"""What a verified delivery holds: the posts that may be kept, and what becomes no post and why. Pure."""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import Final, NamedTuple

import msgspec

from services.ingest.connector import Connector, Ignored, Reason
from services.ingest.hookbody import parse_hook, position
from services.ingest.normalizer import Accepted, Normalizer
from services.ingest.payload import read_json
from services.ingest.rawpost import Invalid
from services.ingest.refusals import Refused, field_refusal
from services.ingest.sources import Hook

TELLING_HEADERS: Final[Mapping[str, tuple[str, ...]]] = {
    "cloudevents": ("ce-",),
    "discourse": ("x-discourse-event", "x-discourse-instance"),
}
"""Where the body alone does not tell what happened: the headers that do, by their beginnings."""


class Delivery(NamedTuple):
    """A delivery as it is read."""

    accepted: list[Accepted]
    ignored: Counter[Reason]


def read_delivery(
    hook: Hook, headers: Mapping[str, str], body: bytes, *, received_at: datetime, traceparent: str | None = None
) -> Delivery:
    """Read a delivery of a network or of a program; header names are in lower case.

    Raises `Refused` (FIELD_INVALID): for a program's delivery that is wrong in one post, because its sender can mend
    it, and for a network's whose bytes are of none of its forms. Anything else that a network sends is taken: it would
    send it again and again.
    """
    if hook.connector is None:
        return Delivery(_from_program(hook, body, received_at, traceparent), Counter())
    outcomes = hook.connector.normalize(with_telling_headers(hook.network, headers, body), hook.account)
    accepted, ignored = [], Counter[Reason]()
    for outcome in outcomes:
        result = (
            outcome
            if isinstance(outcome, Ignored)
            else hook.normalizer.normalize(outcome, received_at=received_at, traceparent=traceparent)
        )
        if isinstance(result, Accepted):
            accepted.append(result)
        else:
            ignored[result.reason if isinstance(result, Ignored) else Reason.INVALID] += 1
    if ignored[Reason.MALFORMED] == len(outcomes):
        raise _malformed(hook.connector, hook.normalizer)
    return Delivery(accepted, ignored)


def with_telling_headers(network: str, headers: Mapping[str, str], body: bytes) -> bytes:
    """The body, or {"headers": ..., "body": ...} where the network tells a part of what happened in headers."""
    beginnings = TELLING_HEADERS.get(network)
    telling = {name: value for name, value in headers.items() if beginnings and name.startswith(beginnings)}
    if not telling:
        return body
    content = body.decode("utf-8", "replace") if read_json(body) is None else msgspec.Raw(body)
    return msgspec.json.encode({"headers": telling, "body": content})


def _from_program(hook: Hook, body: bytes, received_at: datetime, traceparent: str | None) -> list[Accepted]:
    posts = parse_hook(body, hook.network)
    if isinstance(posts, Invalid):
        raise field_refusal([posts], integration=hook.normalizer.integration.id)
    accepted, errors = [], []
    for index, raw in enumerate(posts):
        result = hook.normalizer.normalize(raw, received_at=received_at, traceparent=traceparent)
        if isinstance(result, Invalid):
            errors.append(position(len(posts), index, result))
        else:
            accepted.append(result)
    if errors:
        raise field_refusal(errors, integration=hook.normalizer.integration.id)
    return accepted


def _malformed(connector: Connector, normalizer: Normalizer) -> Refused:
    description = f"this is nothing that {connector.title} sends: check that the address is that of its integration"
    return field_refusal([Invalid("", description)], integration=normalizer.integration.id)
