"""X: the posts that mention an account, newest first, of which only those behind the last one are asked and paid for.

`account` is the account's number; for the secret (an app's bearer token) see `_oauth`. Options: `every_seconds` (60).
"""

from typing import Final

import msgspec

from services.ingest.fetching.cursors import read_cursor, write_cursor
from services.ingest.fetching.networks import Fetcher
from services.ingest.fetching.networks._oauth import OAuthApi
from services.ingest.fetching.pace import Schedule
from services.ingest.fetching.polling import Batch, Polling
from services.ingest.fetching.source import Connection, Source, Tools, account_id, seconds
from services.ingest.payload import Node, read_json

_API: Final = "https://api.x.com"
_TOKENS: Final = "https://api.x.com/2/oauth2/token"
_MAX_PAGES: Final = 8
"""X gives the newest 800."""
_EVERY_SECONDS: Final = 60.0
_ASKED: Final = {
    "max_results": "100",
    "tweet.fields": "attachments,author_id,conversation_id,created_at,edit_history_tweet_ids,entities,lang,note_tweet,"
    "public_metrics,referenced_tweets",
    "expansions": "author_id,attachments.media_keys",
    "user.fields": "name,public_metrics,username,verified",
    "media.fields": "alt_text,duration_ms,type,url",
}


class _Position(msgspec.Struct):
    newest: str = ""


class Mentions:
    """The mentions of one account."""

    def __init__(self, api: OAuthApi, base: str, account: str) -> None:
        self._api = api
        self._url = f"{base}/2/users/{account}/mentions"

    async def fetch(self, cursor: bytes | None) -> Batch:
        """See `Poll`; the first look reads one page."""
        position = read_cursor(cursor, _Position)
        params = _ASKED | ({"since_id": position.newest} if position.newest else {})
        pages = list[bytes]()
        newest, token = position.newest, None
        while True:
            pages.append((await self._api.get(self._url, params | ({"pagination_token": token} if token else {}))).body)
            meta = (read_json(pages[-1]) or Node())["meta"]
            newest = newest if token else meta["newest_id"].id() or newest
            token = meta["next_token"].text()
            if token is None or not position.newest or len(pages) == _MAX_PAGES:
                break
        heard = newest != position.newest
        return Batch(pages[::-1] if heard else (), write_cursor(_Position(newest)))


def open_mentions(connection: Connection, tools: Tools) -> Source:
    """Open the mentions of an account."""
    api = OAuthApi(connection, tools, token_url=_TOKENS)
    mentions = Mentions(api, connection.account.url or _API, account_id(connection))
    return Polling(mentions, Schedule(seconds(connection, _EVERY_SECONDS)))


FETCHER: Final = Fetcher("x", open_mentions)
