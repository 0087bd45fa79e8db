"""Slack: the messages of channels, newest first, and the answers in their threads.

The secret is a token that may read them. Options: `channels`, comma separated ids; `every_seconds` (60). A thread is
followed while its first message is on the newest page of its channel; later answers come by webhook. Apps outside
Slack's marketplace are given 15 messages a page and one page a minute.
"""

from typing import Final

import msgspec

from chassis.outbound import Answer
from services.ingest.fetching.api import Api, Said, json_object
from services.ingest.fetching.coverage import Reason
from services.ingest.fetching.networks import Fetcher
from services.ingest.fetching.pace import Schedule
from services.ingest.fetching.polling import InTurn, Page, Polling, Threaded
from services.ingest.fetching.source import Connection, InvalidConnection, Source, Tools, option, seconds
from services.ingest.payload import Node, read_json

_API: Final = "https://slack.com/api"
_PAGE_ITEMS: Final = "100"
_EVERY_SECONDS: Final = 60.0
_FAILURES: Final = dict.fromkeys(
    (
        "access_denied",
        "account_inactive",
        "invalid_auth",
        "missing_scope",
        "no_permission",
        "not_allowed_token_type",
        "not_authed",
        "token_expired",
        "token_revoked",
    ),
    Reason.AUTH_FAILED,
) | {
    "channel_not_found": Reason.CLOSED,
    "not_in_channel": Reason.CLOSED,
    "thread_not_found": Reason.CLOSED,
    "ratelimited": Reason.RATE_LIMITED,
}


class Channel:
    """One channel. Slack names it in no page, so we write it there: a message is known by its channel and time."""

    def __init__(self, api: Api, base: str, channel: str) -> None:
        self._api = api
        self._base = base
        self._asked = {"channel": channel, "limit": _PAGE_ITEMS}

    async def page(self, token: str | None) -> Page:
        """See `Listing`."""
        page = await self._ask("conversations.history", {"cursor": token} if token else {})
        messages = list(page["messages"])
        marks = [f"{each['ts'].text()}@{each.at('edited', 'ts').text() or ''}" for each in messages]
        threads = {each["ts"].text() or "": latest for each in messages if (latest := each["latest_reply"].text())}
        return Page([msgspec.json.encode(page.value)], marks, _next(page), threads)

    async def answers(self, thread: str, since: str) -> list[bytes]:
        """See `ThreadedListing`."""
        pages, asked = list[bytes](), {"ts": thread} | ({"oldest": since} if since else {})
        while True:
            page = await self._ask("conversations.replies", asked)
            pages.append(msgspec.json.encode(page.value))
            token = _next(page)
            if token is None:
                return pages
            asked["cursor"] = token

    async def _ask(self, method: str, params: dict[str, str]) -> Node:
        body = (await self._api.get(f"{self._base}/{method}", self._asked | params)).body
        return Node({**json_object(body).value, "channel": self._asked["channel"]})


def _next(page: Node) -> str | None:
    return page.at("response_metadata", "next_cursor").text()


def judge(answer: Answer) -> Said:
    """Slack says in the body of a 200 what went wrong."""
    document = read_json(answer.body) or Node()
    if document["ok"].flag() is not False:
        return Said()
    return Said(_FAILURES.get(document["error"].text() or "", Reason.UNREACHABLE))


def open_channels(connection: Connection, tools: Tools) -> Source:
    """Open the channels of a workspace."""
    if not connection.secret:
        raise InvalidConnection(f"{connection.integration}: slack needs a token as secret")
    api = Api(tools.http, tools.clock, {"authorization": f"Bearer {connection.secret}"}, judge)
    base, name = connection.account.url or _API, connection.integration
    channels = [each.strip() for each in option(connection, "channels").split(",")]
    polls = {each: Threaded(name, Channel(api, base, each)) for each in channels}
    return Polling(InTurn(polls), Schedule(seconds(connection, _EVERY_SECONDS)))


FETCHER: Final = Fetcher("slack", open_channels)
