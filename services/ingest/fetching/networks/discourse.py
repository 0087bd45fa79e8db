"""Discourse: the newest posts of all topics of a forum.

`url` is the forum. Options: `user`, with an API key as secret, to read what this user may read (all that the public
may read); `every_seconds` (120). Private messages come by webhook alone. An edit shows while its post is among the
newest fifty.
"""

from typing import Final

from services.ingest.fetching.api import Api, json_object
from services.ingest.fetching.networks import Fetcher
from services.ingest.fetching.pace import Schedule
from services.ingest.fetching.polling import NewestFirst, Page, Polling
from services.ingest.fetching.source import Connection, Source, Tools, seconds, site

_WINDOW_IDS: Final = 50
"""A page holds what may be read of so many ids, and nothing where all of them are hidden from us."""
_EVERY_SECONDS: Final = 120.0


class LatestPosts:
    """The posts of one forum. Whether `before` names the first of a page or the last but one depends on its version."""

    def __init__(self, api: Api, url: str) -> None:
        self._api = api
        self._url = f"{url}/posts.json"

    async def page(self, token: str | None) -> Page:
        """See `Listing`."""
        body = (await self._api.get(self._url, {"before": token} if token else {})).body
        posts = list(json_object(body)["latest_posts"])
        ids = [number for each in posts if (number := each["id"].integer())]
        marks = [f"{each['id'].id()}@{each['version'].integer()}" for each in posts]
        return Page([body], marks, _older(ids, int(token) if token else None))


def _older(ids: list[int], before: int | None) -> str | None:
    """How to ask for the next page, which may repeat a post and leaves none out."""
    oldest = min(ids, default=before)
    if oldest is None:
        return None
    following = oldest if oldest != before else oldest - _WINDOW_IDS + 1
    return str(following) if following > 0 else None


def open_posts(connection: Connection, tools: Tools) -> Source:
    """Open the posts of a forum."""
    headers = {}
    if user := connection.options.get("user"):
        headers = {"api-key": connection.secret, "api-username": user}
    posts = LatestPosts(Api(tools.http, tools.clock, headers), site(connection))
    return Polling(NewestFirst(connection.integration, posts), Schedule(seconds(connection, _EVERY_SECONDS)))


FETCHER: Final = Fetcher("discourse", open_posts)
