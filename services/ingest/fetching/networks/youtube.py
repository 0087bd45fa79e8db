"""YouTube: the comments under all videos of a channel, and the answers that a page of threads leaves out.

`account` is the channel's id; for the secret see `_oauth`. Options: `every_seconds` (600). A look costs 1 unit of the
10,000 of a day, and 1 for each thread with answers that the page left out. Answers to old threads show only while
their thread is on the page of the newest.
"""

from typing import Final

from services.ingest.fetching.api import json_object
from services.ingest.fetching.networks import Fetcher
from services.ingest.fetching.networks._oauth import OAuthApi
from services.ingest.fetching.pace import Schedule
from services.ingest.fetching.polling import Page, Polling, Threaded
from services.ingest.fetching.source import Connection, Source, Tools, account_id, seconds
from services.ingest.payload import Node

_API: Final = "https://www.googleapis.com"
_TOKENS: Final = "https://oauth2.googleapis.com/token"
_SCOPE: Final = "https://www.googleapis.com/auth/youtube.force-ssl"
_PAGE_ITEMS: Final = "100"
_EVERY_SECONDS: Final = 600.0


class CommentThreads:
    """The threads of a channel, newest first."""

    def __init__(self, api: OAuthApi, base: str, channel: str) -> None:
        self._api = api
        self._base = f"{base}/youtube/v3"
        self._channel = channel

    async def page(self, token: str | None) -> Page:
        """See `Listing`; a thread that shows only some of its answers is one to be asked for."""
        params = {
            "part": "snippet,replies",
            "allThreadsRelatedToChannelId": self._channel,
            "order": "time",
            "maxResults": _PAGE_ITEMS,
        }
        body = (
            await self._api.get(f"{self._base}/commentThreads", params | ({"pageToken": token} if token else {}))
        ).body
        document = json_object(body)
        threads = {each["id"].id() or "": str(_answers(each)) for each in document["items"] if _leaves_out(each)}
        return Page([body], [_mark(each) for each in document["items"]], document["nextPageToken"].text(), threads)

    async def answers(self, thread: str, since: str) -> list[bytes]:  # noqa: ARG002 - YouTube gives all or none
        """See `ThreadedListing`."""
        params = {"part": "snippet", "parentId": thread, "maxResults": _PAGE_ITEMS}
        pages = list[bytes]()
        while True:
            pages.append((await self._api.get(f"{self._base}/comments", params)).body)
            token = json_object(pages[-1])["nextPageToken"].text()
            if token is None:
                return pages
            params["pageToken"] = token


def _answers(thread: Node) -> int:
    return thread.at("snippet", "totalReplyCount").integer() or 0


def _leaves_out(thread: Node) -> bool:
    return _answers(thread) > len(list(thread.at("replies", "comments")))


def _mark(thread: Node) -> str:
    return f"{thread['id'].id()}@{thread.at('snippet', 'topLevelComment', 'snippet', 'updatedAt').text()}"


def open_threads(connection: Connection, tools: Tools) -> Source:
    """Open the comments of a channel."""
    api = OAuthApi(connection, tools, token_url=_TOKENS, scope=_SCOPE)
    threads = CommentThreads(api, connection.account.url or _API, account_id(connection))
    return Polling(Threaded(connection.integration, threads), Schedule(seconds(connection, _EVERY_SECONDS)))


FETCHER: Final = Fetcher("youtube", open_threads)
