"""Facebook pages: the newest posts on a page, and the comments below them.

`account` is the page's id, the secret a token of the page. Options: `every_seconds` (300). Comments are followed below
the newest posts; those below older ones come by webhook. What was edited or deleted, a list does not tell.
"""

from typing import Final

from services.ingest.fetching.networks import Fetcher
from services.ingest.fetching.networks._graph import GraphApi
from services.ingest.fetching.pace import Schedule
from services.ingest.fetching.polling import Page, Polling, Threaded
from services.ingest.fetching.source import Connection, Source, Tools, account_id, seconds
from services.ingest.payload import Node

_API: Final = "https://graph.facebook.com/v24.0"
_POSTS: Final = {
    "fields": "id,message,from,created_time,updated_time,permalink_url,message_tags,"
    "attachments{media_type,type,media,url,subattachments},comments.filter(stream).limit(0).summary(true)",
    "limit": "25",
}
_COMMENTS: Final = {
    "fields": "id,message,from,created_time,parent{id},permalink_url,message_tags,attachment,comment_count",
    "filter": "stream",
    "order": "reverse_chronological",
    "limit": "100",
}
_EVERY_SECONDS: Final = 300.0


class PageFeed:
    """The posts on one page, and below each of them all comments, whichever they answer."""

    def __init__(self, api: GraphApi, page: str) -> None:
        self._api = api
        self._page = page

    async def page(self, token: str | None) -> Page:
        """See `Listing`; the time of a post's last change and the number of its comments are its sign."""
        found = await self._api.page(f"{self._page}/feed", _POSTS, token)
        marks = [each["id"].id() or "" for each in found.items]
        threads = {each["id"].id() or "": _sign(each) for each in found.items if _comments(each)}
        return Page([found.body], marks, found.after, threads)

    async def answers(self, thread: str, since: str) -> list[bytes]:
        """See `ThreadedListing`."""
        pages = await self._api.pages(f"{thread}/comments", _COMMENTS, since.partition(" ")[0], "created_time")
        return [each.body for each in reversed(pages)]


def _comments(post: Node) -> int:
    return post.at("comments", "summary", "total_count").integer() or 0


def _sign(post: Node) -> str:
    return f"{post['updated_time'].text()} {_comments(post)}"


def open_feed(connection: Connection, tools: Tools) -> Source:
    """Open the feed of a page."""
    feed = PageFeed(GraphApi(connection, tools, _API), account_id(connection))
    return Polling(Threaded(connection.integration, feed), Schedule(seconds(connection, _EVERY_SECONDS)))


FETCHER: Final = Fetcher("facebook_page", open_feed)
