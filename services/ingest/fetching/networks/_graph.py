"""The Graph API of Meta: lists by their cursors, and what it says of failures and quotas in a way of its own.

The secret is a token, which travels in a header, so that no address holds it.
"""

from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from chassis.outbound import Answer
from services.ingest.fetching.api import Api, Said, json_object
from services.ingest.fetching.coverage import Reason
from services.ingest.fetching.source import Connection, InvalidConnection, Tools
from services.ingest.payload import Node, read_json

_USAGE: Final = ("x-business-use-case-usage", "x-app-usage")
_SPENT_PERCENT: Final = 95.0
_SPENT_PAUSE_SECONDS: Final = 300.0
_FIRST_FAILURE: Final = 400
_PERMISSIONS: Final = range(200, 300)
_THROTTLED: Final = frozenset({4, 17, 32, 613})
_THROTTLED_BUSINESS: Final = range(80000, 80015)
_NO_ACCESS: Final = frozenset({10, 102, 190})
_NOT_THERE: Final = frozenset({(100, 33), (803, None)})
_MAX_PAGES: Final = 20


class GraphPage(NamedTuple):
    """One page of a list."""

    body: bytes
    items: list[Node]
    after: str | None
    """How to ask for the next page; None: there is none."""


class GraphApi:
    """Lists of one account."""

    def __init__(self, connection: Connection, tools: Tools, base: str) -> None:
        if not connection.secret:
            raise InvalidConnection(f"{connection.integration}: {connection.network} needs a token as secret")
        self._api = Api(tools.http, tools.clock, {"authorization": f"Bearer {connection.secret}"}, judge)
        self._base = connection.account.url or base

    async def page(self, path: str, params: Mapping[str, str], after: str | None = None) -> GraphPage:
        """Ask for one page of the list `path`, which `params` tell the fields and the `limit` of."""
        body = (await self._api.get(f"{self._base}/{path}", {**params} | ({"after": after} if after else {}))).body
        document = json_object(body)
        listed, paging = list(document["data"]), document["paging"]
        # Some lists of Threads never say that there is a next page, so a full one may have another behind it.
        has_more = paging["next"] or len(listed) >= int(params["limit"])
        return GraphPage(body, listed, paging.at("cursors", "after").text() if listed and has_more else None)

    async def pages(self, path: str, params: Mapping[str, str], until: str = "", time: str = "") -> list[GraphPage]:
        """Ask for page after page, to one that ends before the moment `until` by the field `time` of its items."""
        found = [await self.page(path, params)]
        while found[-1].after and len(found) < _MAX_PAGES and not _reaches(found[-1], until, time):
            found.append(await self.page(path, params, found[-1].after))
        return found


def _reaches(page: GraphPage, until: str, time: str) -> bool:
    moment, oldest = Node(until).time(), page.items[-1][time].time()
    return moment is not None and oldest is not None and oldest < moment


def judge(answer: Answer) -> Said:
    """What an answer says of a failure, in its body, and of the quota, in its headers."""
    pause = max(_pauses(answer), default=0.0) or None
    if answer.status < _FIRST_FAILURE:
        return Said(None, pause)
    error = (read_json(answer.body) or Node())["error"]
    return Said(_failure(error["code"].integer(), error["error_subcode"].integer()), pause)


def _failure(code: int | None, subcode: int | None) -> Reason | None:
    if code is None:
        return None
    if code in _NO_ACCESS or code in _PERMISSIONS:
        return Reason.AUTH_FAILED
    if code in _THROTTLED or code in _THROTTLED_BUSINESS:
        return Reason.RATE_LIMITED
    return Reason.CLOSED if (code, subcode) in _NOT_THERE else None


def _pauses(answer: Answer) -> Iterator[float]:
    """What each quota asks for: the minutes until it is regained, or some rest where it is nearly used up."""
    for name in _USAGE:
        document = read_json(answer.headers.get(name, "").encode()) or Node()
        for quota in (document, *(each for _, business in document.members() for each in business)):
            minutes = quota["estimated_time_to_regain_access"].number() or 0.0
            used = max(quota[each].number() or 0.0 for each in ("call_count", "total_time", "total_cputime"))
            yield minutes * 60 or (_SPENT_PAUSE_SECONDS if used >= _SPENT_PERCENT else 0.0)
