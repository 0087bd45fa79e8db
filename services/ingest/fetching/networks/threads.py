"""Threads: the conversations below an account's newest posts, and the posts that mention it.

`account` is the account's id, the secret a token. Options: `mentions` ("no": where the app may not read them);
`every_seconds` (300). Threads does not tell which conversation went on, so all of the newest posts are asked for.
"""

from datetime import timedelta
from typing import Final

from chassis.clock import Clock
from services.ingest.fetching.networks import Fetcher
from services.ingest.fetching.networks._graph import GraphApi, GraphPage
from services.ingest.fetching.pace import Schedule
from services.ingest.fetching.polling import InTurn, NewestFirst, Page, Poll, Polling, Threaded
from services.ingest.fetching.source import Connection, Source, Tools, account_id, seconds
from services.ingest.payload import Node

_API: Final = "https://graph.threads.net/v1.0"
_FIELDS: Final = (
    "id,text,username,owner,permalink,timestamp,media_type,media_url,alt_text,gif_url,"
    "children{media_type,media_url,alt_text},has_replies,is_reply,root_post,replied_to"
)
_POSTS: Final = {"fields": _FIELDS, "limit": "25"}
_ANSWERS: Final = {"fields": f"{_FIELDS},is_reply_owned_by_me", "limit": "50", "reverse": "true"}
_LATE: Final = timedelta(minutes=5)
"""How long an answer may take until it is listed."""
_EVERY_SECONDS: Final = 300.0


class Conversations:
    """The posts of one account, and below each of them all answers, whichever they answer."""

    def __init__(self, api: GraphApi, account: str, clock: Clock) -> None:
        self._api = api
        self._account = account
        self._clock = clock

    async def page(self, token: str | None) -> Page:
        """See `Listing`; the time of the look is the sign, so every conversation is asked for each time."""
        sign = (self._clock() - _LATE).isoformat()
        found = await self._api.page(f"{self._account}/threads", _POSTS, token)
        marks = [each["id"].id() or "" for each in found.items]
        threads = {each["id"].id() or "": sign for each in found.items if each["has_replies"].flag()}
        return Page([found.body], marks, found.after, threads)

    async def answers(self, thread: str, since: str) -> list[bytes]:
        """See `ThreadedListing`; a page without anything new is left out."""
        pages = await self._api.pages(f"{thread}/conversation", _ANSWERS, since, "timestamp")
        return [each.body for each in reversed(pages) if _tells(each, since)]


class Mentions:
    """The posts that mention one account, newest first."""

    def __init__(self, api: GraphApi, account: str) -> None:
        self._api = api
        self._account = account

    async def page(self, token: str | None) -> Page:
        """See `Listing`."""
        found = await self._api.page(f"{self._account}/mentions", _POSTS, token)
        return Page([found.body], [each["id"].id() or "" for each in found.items], found.after)


def _tells(page: GraphPage, since: str) -> bool:
    moment = Node(since).time()
    times = [each["timestamp"].time() for each in page.items]
    return moment is None or any(time is None or time >= moment for time in times)


def open_account(connection: Connection, tools: Tools) -> Source:
    """Open the conversations and mentions of an account."""
    api, account, name = GraphApi(connection, tools, _API), account_id(connection), connection.integration
    polls: dict[str, Poll] = {"threads": Threaded(name, Conversations(api, account, tools.clock))}
    if connection.options.get("mentions") != "no":
        polls["mentions"] = NewestFirst(name, Mentions(api, account))
    return Polling(InTurn(polls), Schedule(seconds(connection, _EVERY_SECONDS)))


FETCHER: Final = Fetcher("threads", open_account)
