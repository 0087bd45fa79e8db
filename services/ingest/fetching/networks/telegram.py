"""Telegram: the updates of a bot by getUpdates, for those who can receive no webhook; a bot has one or the other.

The secret is the bot's token. Options: `every_seconds` (1), between two long polls of 10 seconds.
"""

import json
from typing import Final

import msgspec

from services.ingest.fetching.api import Api, json_object
from services.ingest.fetching.cursors import read_cursor, write_cursor
from services.ingest.fetching.networks import Fetcher
from services.ingest.fetching.pace import Schedule
from services.ingest.fetching.polling import Batch, Polling
from services.ingest.fetching.source import Connection, InvalidConnection, Source, Tools, seconds

_API: Final = "https://api.telegram.org"
_LONG_POLL_SECONDS: Final = 10
_PAGE_ITEMS: Final = 100
_EVERY_SECONDS: Final = 1.0
_UPDATES: Final = json.dumps(
    [
        "message",
        "edited_message",
        "channel_post",
        "edited_channel_post",
        "business_message",
        "edited_business_message",
        "deleted_business_messages",
    ]
)


class _Position(msgspec.Struct):
    offset: int = 0


class Updates:
    """Asking for what lies behind an update lets Telegram forget all before it: we ask once they are kept."""

    def __init__(self, api: Api, url: str) -> None:
        self._api = api
        self._url = url

    async def fetch(self, cursor: bytes | None) -> Batch:
        """See `Poll`."""
        position = read_cursor(cursor, _Position)
        params = {"timeout": str(_LONG_POLL_SECONDS), "limit": str(_PAGE_ITEMS), "allowed_updates": _UPDATES}
        answer = await self._api.get(self._url, params | ({"offset": str(position.offset)} if position.offset else {}))
        numbers = [each["update_id"].integer() or 0 for each in json_object(answer.body)["result"]]
        position.offset = max([position.offset, *(number + 1 for number in numbers)])
        return Batch([answer.body] if numbers else (), write_cursor(position), more=len(numbers) == _PAGE_ITEMS)


def open_updates(connection: Connection, tools: Tools) -> Source:
    """Open the updates of a bot."""
    if not connection.secret:
        raise InvalidConnection(f"{connection.integration}: telegram needs the bot's token as secret")
    url = f"{connection.account.url or _API}/bot{connection.secret}/getUpdates"
    return Polling(Updates(Api(tools.http, tools.clock), url), Schedule(seconds(connection, _EVERY_SECONDS)))


FETCHER: Final = Fetcher("telegram", open_updates)
