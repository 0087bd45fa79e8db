"""Instagram: the comments below an account's newest posts, and the posts of others that it is tagged in.

`account` is the account's id, the secret a token. Options: `tagged` ("no": with a token of Instagram Login, which may
not read them; its `url` is https://graph.instagram.com); `every_seconds` (300). A mention in somebody's caption or
comment is told by webhook alone, as its ids.
"""

from typing import Final

from services.ingest.fetching.networks import Fetcher
from services.ingest.fetching.networks._graph import GraphApi
from services.ingest.fetching.pace import Schedule
from services.ingest.fetching.polling import InTurn, NewestFirst, Page, Poll, Polling, Threaded
from services.ingest.fetching.source import Connection, Source, Tools, account_id, seconds
from services.ingest.payload import Node

_API: Final = "https://graph.facebook.com/v24.0"
_COMMENT: Final = "id,text,timestamp,from,username,parent_id,media{id}"
_MEDIA: Final = "id,caption,media_type,media_url,permalink,timestamp,username,comments_count"
_POSTS: Final = {"fields": f"{_MEDIA},owner,comments.limit(1){{{_COMMENT}}}", "limit": "25"}
_COMMENTS: Final = {"fields": f"{_COMMENT},replies.limit(50){{{_COMMENT}}}", "limit": "50"}
_REPLIES: Final = {"fields": _COMMENT, "limit": "50"}
_TAGS: Final = {"fields": _MEDIA, "limit": "50"}
_EVERY_SECONDS: Final = 300.0


class AccountPosts:
    """The posts of one account, and below each of them all comments and their replies."""

    def __init__(self, api: GraphApi, account: str) -> None:
        self._api = api
        self._account = account

    async def page(self, token: str | None) -> Page:
        """See `Listing`; the number of a post's comments and replies, and its newest comment, are its sign."""
        found = await self._api.page(f"{self._account}/media", _POSTS, token)
        marks = [each["id"].id() or "" for each in found.items]
        threads = {each["id"].id() or "": _sign(each) for each in found.items if each["comments_count"].integer()}
        return Page([found.body], marks, found.after, threads)

    async def answers(self, thread: str, since: str) -> list[bytes]:  # noqa: ARG002 - a reply may be to any comment
        """See `ThreadedListing`."""
        pages = await self._api.pages(f"{thread}/comments", _COMMENTS)
        bodies = [each.body for each in reversed(pages)]
        for comment in (comment for each in pages for comment in each.items):
            if comment.at("replies", "paging", "next"):
                replies = await self._api.pages(f"{comment['id'].id()}/replies", _REPLIES)
                bodies += [each.body for each in reversed(replies)]
        return bodies


class TaggedPosts:
    """The posts of others in which the account is tagged, newest first."""

    def __init__(self, api: GraphApi, account: str) -> None:
        self._api = api
        self._account = account

    async def page(self, token: str | None) -> Page:
        """See `Listing`."""
        found = await self._api.page(f"{self._account}/tags", _TAGS, token)
        return Page([found.body], [each["id"].id() or "" for each in found.items], found.after)


def _sign(post: Node) -> str:
    return f"{post['comments_count'].integer()} {post.at('comments', 'data', 0, 'id').id()}"


def open_account(connection: Connection, tools: Tools) -> Source:
    """Open the comments and the tags of an account."""
    api, account, name = GraphApi(connection, tools, _API), account_id(connection), connection.integration
    polls: dict[str, Poll] = {"media": Threaded(name, AccountPosts(api, account))}
    if connection.options.get("tagged") != "no":
        polls["tags"] = NewestFirst(name, TaggedPosts(api, account))
    return Polling(InTurn(polls), Schedule(seconds(connection, _EVERY_SECONDS)))


FETCHER: Final = Fetcher("instagram", open_account)
