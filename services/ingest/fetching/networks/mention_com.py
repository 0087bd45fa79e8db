"""Mention: the mentions of an alert, in the order in which Mention found them.

`account` is the account's id; for the secret see `_oauth`. Options: `alert`, its id; `every_seconds` (300).
"""

from typing import Final

import msgspec

from services.ingest.fetching.api import json_object
from services.ingest.fetching.cursors import read_cursor, write_cursor
from services.ingest.fetching.networks import Fetcher
from services.ingest.fetching.networks._oauth import OAuthApi
from services.ingest.fetching.pace import Schedule
from services.ingest.fetching.polling import Batch, Polling
from services.ingest.fetching.source import Connection, Source, Tools, account_id, option, seconds

_API: Final = "https://api.mention.net/api"
_TOKENS: Final = "https://web.mention.net/oauth/v2/token"
_VERSION: Final = {"accept-version": "1.19"}
_PAGE_ITEMS: Final = 100
_EVERY_SECONDS: Final = 300.0


class _Position(msgspec.Struct):
    newest: int = 0


class AlertMentions:
    """The mentions of one alert."""

    def __init__(self, api: OAuthApi, url: str) -> None:
        self._api = api
        self._url = url

    async def fetch(self, cursor: bytes | None) -> Batch:
        """See `Poll`; the first look reads one page."""
        position = read_cursor(cursor, _Position)
        since = {"since_id": str(position.newest)} if position.newest else {}
        body = (await self._api.get(self._url, {"limit": str(_PAGE_ITEMS), **since})).body
        numbers = [each["id"].integer() or 0 for each in json_object(body)["mentions"]]
        newest = max([position.newest, *numbers])
        more = bool(since) and len(numbers) == _PAGE_ITEMS and newest > position.newest
        return Batch([body] if numbers else (), write_cursor(_Position(newest)), more)


def open_alert(connection: Connection, tools: Tools) -> Source:
    """Open the mentions of an alert."""
    api = OAuthApi(connection, tools, token_url=_TOKENS, headers=_VERSION)
    base = f"{connection.account.url or _API}/accounts/{account_id(connection)}"
    mentions = AlertMentions(api, f"{base}/alerts/{option(connection, 'alert')}/mentions")
    return Polling(mentions, Schedule(seconds(connection, _EVERY_SECONDS)))


FETCHER: Final = Fetcher("mention_com", open_alert)
