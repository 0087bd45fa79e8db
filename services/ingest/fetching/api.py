"""Asking a network's HTTP API: what its answers mean for fetching, and keeping to its quota."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

import httpx

from chassis.clock import Clock
from chassis.outbound import Answer, OutboundClient
from services.ingest.fetching.coverage import Reason
from services.ingest.fetching.pace import pause_seconds
from services.ingest.fetching.source import FetchFailed
from services.ingest.payload import Node, read_json

_NOT_MODIFIED: Final = 304
_OK: Final = range(200, 300)
_REFUSED: Final = frozenset({401, 403, 407})
_GONE: Final = frozenset({404, 410, 451})
_TOO_MANY: Final = 429
_MAX_PAUSE_SECONDS: Final = 900.0
"""X counts in windows of a quarter of an hour; a longer pause is a failure, so that coverage tells of it."""


class Said(NamedTuple):
    """What an answer says in a way of the network's own, beside its status and the usual headers."""

    failure: Reason | None = None
    pause_seconds: float | None = None


Judge = Callable[[Answer], Said]
"""Reads that, for networks such as Slack and Meta, which say in the body why there is nothing."""


def _says_nothing(_: Answer) -> Said:
    return Said()


class Api:
    """Calls on behalf of one integration; a call waits while the quota that the last answer told of is used up."""

    def __init__(
        self,
        http: OutboundClient,
        clock: Clock,
        headers: Mapping[str, str] | None = None,
        judge: Judge = _says_nothing,
    ) -> None:
        self._http = http
        self._clock = clock
        self._judge = judge
        self._headers = dict(headers or {})
        self._free_at = 0.0

    async def get(
        self, url: str, params: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """GET; answers a 2xx or a 304, and raises `FetchFailed` for everything else."""
        return await self._call("GET", url, params, headers, None)

    async def post(self, url: str, content: bytes, headers: Mapping[str, str] | None = None) -> Answer:
        """POST, as `get`: for APIs that are asked that way, such as for tokens."""
        return await self._call("POST", url, None, headers, content)

    async def _call(
        self,
        method: str,
        url: str,
        params: Mapping[str, str] | None,
        headers: Mapping[str, str] | None,
        content: bytes | None,
    ) -> Answer:
        loop = asyncio.get_running_loop()
        await asyncio.sleep(max(0.0, self._free_at - loop.time()))
        sent = {**self._headers, **(headers or {})}
        try:
            answer = await self._http.request(method, url, headers=sent, params=params, content=content)
        except UNREACHABLE as error:
            raise unreachable(error) from error
        said = self._judge(answer)
        pause = said.pause_seconds or pause_seconds(answer.headers, self._clock())
        if said.failure:
            raise FetchFailed(said.failure, f"HTTP {answer.status}", retry_after_seconds=pause, status=answer.status)
        check(answer.status, pause)
        self._free_at = loop.time() + min(pause or 0.0, _MAX_PAUSE_SECONDS)
        return answer


UNREACHABLE: Final = (httpx.HTTPError, httpx.InvalidURL, OSError)
"""What a call raises where no answer came, or none that may be read."""


def unreachable(error: Exception) -> FetchFailed:
    """Name the error by its class: its words may quote the URL, and that may hold a secret."""
    return FetchFailed(Reason.UNREACHABLE, type(error).__name__)


def check(status: int, pause: float | None) -> None:
    """Raise `FetchFailed` unless the status says that there is an answer; `pause` is what its headers ask for, in s."""
    if status in _OK or status == _NOT_MODIFIED:
        return
    if status == _TOO_MANY or (status in _REFUSED and pause):
        reason = Reason.RATE_LIMITED
    elif status in _REFUSED:
        reason = Reason.AUTH_FAILED
    elif status in _GONE:
        reason = Reason.CLOSED
    else:
        reason = Reason.UNREACHABLE
    raise FetchFailed(reason, f"HTTP {status}", retry_after_seconds=pause, status=status)


def not_modified(answer: Answer) -> bool:
    """Whether a conditional GET was answered by: nothing new."""
    return answer.status == _NOT_MODIFIED


def json_object(body: bytes) -> Node:
    """Read an answer that must be a JSON object; raises `FetchFailed`, because what cannot be read is no "nothing"."""
    document = read_json(body)
    if document is None or not document.is_object():
        raise FetchFailed(Reason.UNREACHABLE, "the answer is no JSON object")
    return document


def json_list(body: bytes) -> Node:
    """Read an answer that must be a JSON list, as `json_object`."""
    document = read_json(body)
    if document is None or not document.is_list():
        raise FetchFailed(Reason.UNREACHABLE, "the answer is no JSON list")
    return document
