"""Reddit: the inbox (mentions, replies, messages), or any other listing; nothing in it is marked as read.

Options: `listings`, comma separated paths ("/message/inbox", "/r/lumora/comments"); `user_agent`, which Reddit wants
to be unique to its owner; `every_seconds` (60). For the secret see `_oauth`.
"""

from typing import Final

from services.ingest.fetching.api import json_object
from services.ingest.fetching.networks import Fetcher
from services.ingest.fetching.networks._oauth import OAuthApi
from services.ingest.fetching.pace import Schedule
from services.ingest.fetching.polling import InTurn, NewestFirst, Page, Polling
from services.ingest.fetching.source import Connection, Source, Tools, option, seconds

_API: Final = "https://oauth.reddit.com"
_TOKENS: Final = "https://www.reddit.com/api/v1/access_token"
_PAGE_ITEMS: Final = "100"
_MAX_PAGES: Final = 10
"""Reddit ends every listing after a thousand things."""
_EVERY_SECONDS: Final = 60.0


class RedditListing:
    """One listing, newest first."""

    def __init__(self, api: OAuthApi, url: str) -> None:
        self._api = api
        self._url = url

    async def page(self, token: str | None) -> Page:
        """See `Listing`."""
        params = {"raw_json": "1", "limit": _PAGE_ITEMS, "mark": "false"} | ({"after": token} if token else {})
        body = (await self._api.get(self._url, params)).body
        data = json_object(body)["data"]
        marks = [f"{each['data']['name'].id()}@{each['data']['edited'].value}" for each in data["children"]]
        return Page([body], marks, data["after"].text())


def open_listings(connection: Connection, tools: Tools) -> Source:
    """Open the listings of an account."""
    agent = option(connection, "user_agent", f"server:ascolto:1 ({connection.integration})")
    api = OAuthApi(connection, tools, token_url=_TOKENS, headers={"user-agent": agent})
    base = connection.account.url or _API
    paths = [each.strip() for each in option(connection, "listings", "/message/inbox").split(",")]
    polls = {
        path: NewestFirst(connection.integration, RedditListing(api, base + path), max_pages=_MAX_PAGES)
        for path in paths
    }
    return Polling(InTurn(polls), Schedule(seconds(connection, _EVERY_SECONDS)))


FETCHER: Final = Fetcher("reddit", open_listings)
