"""WordPress: the comments of a site by its REST API, newest first.

`url` is the site. Options: `user`, with an application password as secret, where the site shows comments to members
only; `every_seconds` (300). A comment that is approved late shows while it is among the newest hundred.
"""

import base64
from typing import Final

from services.ingest.fetching.api import Api, json_list
from services.ingest.fetching.networks import Fetcher
from services.ingest.fetching.pace import Schedule
from services.ingest.fetching.polling import NewestFirst, Page, Polling
from services.ingest.fetching.source import Connection, Source, Tools, seconds, site
from services.ingest.payload import Node

_PAGE_ITEMS: Final = 100
_EVERY_SECONDS: Final = 300.0


class Comments:
    """The comments of one site."""

    def __init__(self, api: Api, url: str) -> None:
        self._api = api
        self._url = f"{url}/wp-json/wp/v2/comments"

    async def page(self, token: str | None) -> Page:
        """See `Listing`."""
        number = int(token or "1")
        params = {"orderby": "id", "order": "desc", "per_page": str(_PAGE_ITEMS), "page": str(number)}
        answer = await self._api.get(self._url, params)
        pages = Node(answer.headers.get("x-wp-totalpages")).integer() or 1
        marks = [each["id"].id() or "" for each in json_list(answer.body)]
        return Page([answer.body], marks, str(number + 1) if number < pages else None)


def open_comments(connection: Connection, tools: Tools) -> Source:
    """Open the comments of a site."""
    headers = {}
    if user := connection.options.get("user"):
        headers["authorization"] = f"Basic {base64.b64encode(f'{user}:{connection.secret}'.encode()).decode()}"
    comments = Comments(Api(tools.http, tools.clock, headers), site(connection))
    return Polling(NewestFirst(connection.integration, comments), Schedule(seconds(connection, _EVERY_SECONDS)))


FETCHER: Final = Fetcher("wordpress", open_comments)
