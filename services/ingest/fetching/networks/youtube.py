"""YouTube: the comments under all videos of a channel, and the answers that a page of threads leaves out.

`account` is the channel's id; for the secret see `_oauth`. Options: `every_seconds` (600). A look costs 1 unit of the
10,000 of a day, and 1 for each thread with answers that the page left out. Answers to old threads show only while
their thread is on the page of the newest.
"""

from typing import Final

from services.ingest.fetching.networks import Fetcher
from services.ingest.fetching.networks._oauth import OAuthApi
from services.ingest.fetching.pace import Schedule
from services.ingest.fetching.polling import NewestFirst, Page, Polling
from services.ingest.fetching.source import Connection, Source, Tools, account_id, seconds
from services.ingest.payload import Node, read_json

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
        self._answers: dict[str, int] = {}

    async def page(self, token: str | None) -> Page:
        """See `Listing`."""
        params = {
            "part": "snippet,replies",
            "allThreadsRelatedToChannelId": self._channel,
            "order": "time",
            "maxResults": _PAGE_ITEMS,
        }
        body = (
            await self._api.get(f"{self._base}/commentThreads", params | ({"pageToken": token} if token else {}))
        ).body
        document = read_json(body) or Node()
        payloads = [body]
        for thread in document["items"]:
            payloads += await self._left_out(thread)
        return Page(payloads, [_mark(each) for each in document["items"]], document["nextPageToken"].text())

    async def _left_out(self, thread: Node) -> list[bytes]:
        """All answers of a thread that shows only some, where their number has changed since the last look."""
        total, shown = (
            thread.at("snippet", "totalReplyCount").integer() or 0,
            len(list(thread.at("replies", "comments"))),
        )
        name = thread["id"].id() or ""
        if total <= shown or self._answers.get(name) == total:
            return []
        params = {"part": "snippet", "parentId": name, "maxResults": _PAGE_ITEMS}
        pages = list[bytes]()
        while True:
            pages.append((await self._api.get(f"{self._base}/comments", params)).body)
            token = (read_json(pages[-1]) or Node())["nextPageToken"].text()
            if token is None:
                break
            params["pageToken"] = token
        self._answers[name] = total
        return pages


def _mark(thread: Node) -> str:
    return f"{thread['id'].id()}@{thread.at('snippet', 'topLevelComment', 'snippet', 'updatedAt').text()}"


def open_threads(connection: Connection, tools: Tools) -> Source:
    """Open the comments of a channel."""
    api = OAuthApi(connection, tools, token_url=_TOKENS, scope=_SCOPE)
    threads = CommentThreads(api, connection.account.url or _API, account_id(connection))
    return Polling(NewestFirst(connection.integration, threads), Schedule(seconds(connection, _EVERY_SECONDS)))


FETCHER: Final = Fetcher("youtube", open_threads)
