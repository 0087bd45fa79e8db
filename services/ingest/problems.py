"""What an HTTP sender is told when a request is refused: problem details (RFC 9457) with a stable code."""

import re
from collections.abc import Mapping
from math import ceil
from typing import Final

import msgspec
from starlette.responses import Response

from services.ingest.refusals import Refused

MEDIA_TYPE: Final = "application/problem+json"

_INDEX: Final = re.compile(r"\[(\d+|\.\.\.)\]")


def render(refused: Refused, headers: Mapping[str, str] | None = None) -> Response:
    """Make the response of a refusal."""
    problem = refused.problem
    content: dict[str, object] = {
        "type": f"urn:ascolto:problem:{problem.name}",
        "title": problem.title,
        "status": problem.status,
        "detail": refused.detail,
        "code": problem.name,
    }
    if refused.errors:
        content["errors"] = [
            {"field": error.field, "pointer": pointer(error.field), "detail": error.description}
            for error in refused.errors
        ]
    all_headers = dict(headers or {})
    if refused.retry_after_seconds is not None:
        all_headers["retry-after"] = str(max(1, ceil(refused.retry_after_seconds)))
    return Response(msgspec.json.encode(content), problem.status, all_headers, MEDIA_TYPE)


def pointer(field: str) -> str:
    """Write "data[3].author.id" as the JSON Pointer "#/data/3/author/id"."""
    return "#" + "".join(f"/{part}" for part in _INDEX.sub(r".\1", field).split(".") if part)
