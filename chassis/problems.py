"""What an HTTP caller is told when a request is refused: problem details (RFC 9457) with a stable code."""

import re
from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from math import ceil
from typing import Any, Final, Protocol

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

MEDIA_TYPE: Final = "application/problem+json"

_INDEX: Final = re.compile(r"\[(\d+|\.\.\.)\]")


class Problem(Enum):
    """The ways in which an application refuses: a status and a title for each code; docs/errors.md explains them."""

    def __init__(self, status: int, title: str) -> None:
        self.status = status
        self.title = title


class FieldError(Protocol):
    """What is wrong with one field, named as in "data[3].author.id"; "" is the body itself."""

    @property
    def field(self) -> str:
        """Where it is."""

    @property
    def description(self) -> str:
        """What it should be."""


class Refused(Exception):  # noqa: N818 - named after the decision that it carries
    """A request is not taken; `detail` tells the caller what to do, `errors` which fields are wrong."""

    def __init__(
        self,
        problem: Problem,
        detail: str,
        *,
        errors: Sequence[FieldError] = (),
        retry_after_seconds: float | None = None,
    ) -> None:
        super().__init__(problem.name)
        self.problem = problem
        self.detail = detail
        self.errors = tuple(errors)
        self.retry_after_seconds = retry_after_seconds


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


def address_problems(
    *, not_found: Problem, method_not_allowed: Problem, refuse: Callable[[Refused], Response] = render
) -> Mapping[Any, Any]:
    """The `exception_handlers` of an application whose wrong addresses are problems like every other refusal."""

    async def unknown(_: Request, __: Exception) -> Response:
        return refuse(Refused(not_found, "Check the address."))

    async def other_method(_: Request, error: Exception) -> Response:
        response = refuse(Refused(method_not_allowed, "Use the method that the Allow header names."))
        if isinstance(error, HTTPException):
            response.headers.update(error.headers or {})
        return response

    return {404: unknown, 405: other_method}
