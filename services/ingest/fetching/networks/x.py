"""X: the posts that mention an account and those of lists, by asking; or all that rules match, by the filtered stream.

`account` is the account's number; for the secret (an app's bearer token) see `_oauth`. Options: `rules`, one a line of
at most 512 characters, opens the stream, which needs the whole app for itself; else `lists`, comma separated numbers,
are read beside the mentions, every `every_seconds` (60). Only mentions behind the last one are asked and paid for.
"""

from typing import Final

import msgspec

from services.ingest.fetching.api import json_object
from services.ingest.fetching.coverage import Missed
from services.ingest.fetching.cursors import read_cursor, write_cursor
from services.ingest.fetching.networks import Fetcher
from services.ingest.fetching.networks._oauth import OAuthApi
from services.ingest.fetching.networks._x_fields import API, PAGE, TOKENS
from services.ingest.fetching.networks._x_stream import FilteredStream
from services.ingest.fetching.pace import Schedule
from services.ingest.fetching.polling import Batch, InTurn, NewestFirst, Page, Poll, Polling
from services.ingest.fetching.source import Connection, InvalidConnection, Source, Tools, account_id, seconds

_MAX_PAGES: Final = 8
"""X gives the newest 800."""
_EVERY_SECONDS: Final = 60.0
_MAX_RULE_CHARACTERS: Final = 512
"""A rule may be longer, what recent search is asked may not."""


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
        params = PAGE | ({"since_id": position.newest} if position.newest else {})
        pages = list[bytes]()
        newest, token = position.newest, None
        while True:
            pages.append((await self._api.get(self._url, params | ({"pagination_token": token} if token else {}))).body)
            meta = json_object(pages[-1])["meta"]
            newest = newest if token else meta["newest_id"].id() or newest
            token = meta["next_token"].text()
            if token is None or not position.newest or len(pages) == _MAX_PAGES:
                break
        heard = newest != position.newest
        missed = Missed.LISTING_TOO_LONG if token and position.newest else None
        return Batch(pages[::-1] if heard else (), write_cursor(_Position(newest)), missed=missed)


class ListPosts:
    """The posts of a list's members, newest first."""

    def __init__(self, api: OAuthApi, base: str, number: str) -> None:
        self._api = api
        self._url = f"{base}/2/lists/{number}/tweets"

    async def page(self, token: str | None) -> Page:
        """See `Listing`."""
        body = (await self._api.get(self._url, PAGE | ({"pagination_token": token} if token else {}))).body
        document = json_object(body)
        marks = [each["id"].id() or "" for each in document["data"]]
        return Page([body], marks, document.at("meta", "next_token").text())


def open_account(connection: Connection, tools: Tools) -> Source:
    """Open the stream of an account's rules, or its mentions and lists."""
    account, base = account_id(connection), connection.account.url or API
    api = OAuthApi(connection, tools, token_url=TOKENS)
    if rules := _rules(connection):
        return FilteredStream(connection.integration, tools, api, base, rules)
    poll: Poll = Mentions(api, base, account)
    if lists := [each.strip() for each in connection.options.get("lists", "").split(",") if each.strip()]:
        name = connection.integration
        by_list = {each: NewestFirst(name, ListPosts(api, base, each), max_pages=_MAX_PAGES) for each in lists}
        poll = InTurn({"mentions": poll, **by_list})
    return Polling(poll, Schedule(seconds(connection, _EVERY_SECONDS)))


def _rules(connection: Connection) -> list[str]:
    rules = [each.strip() for each in connection.options.get("rules", "").splitlines() if each.strip()]
    if any(len(each) > _MAX_RULE_CHARACTERS for each in rules):
        raise InvalidConnection(f"{connection.integration}: rules: x takes {_MAX_RULE_CHARACTERS} characters a rule")
    return list(dict.fromkeys(rules))


FETCHER: Final = Fetcher("x", open_account)
