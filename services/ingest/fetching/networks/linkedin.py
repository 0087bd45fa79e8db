"""LinkedIn: what was said on and about an organization's posts, as LinkedIn notes it for 60 days.

`account` is the organization's number or URN; for the secret (a token of an administrator) see `_oauth`. Options:
`version`, the month of the API ("202610"), which LinkedIn serves for a year; `every_seconds` (300).
"""

from datetime import datetime, timedelta
from typing import Final
from urllib.parse import quote

import msgspec

from chassis.clock import Clock
from services.ingest.fetching.api import json_object
from services.ingest.fetching.coverage import Missed
from services.ingest.fetching.cursors import read_cursor, write_cursor
from services.ingest.fetching.networks import Fetcher
from services.ingest.fetching.networks._oauth import OAuthApi
from services.ingest.fetching.pace import Schedule
from services.ingest.fetching.polling import Batch, Polling
from services.ingest.fetching.source import Connection, Source, Tools, account_id, option, seconds

_API: Final = "https://api.linkedin.com"
_TOKENS: Final = "https://www.linkedin.com/oauth/v2/accessToken"
_VERSION: Final = "202610"
_ACTIONS: Final = "COMMENT,ADMIN_COMMENT,COMMENT_EDIT,COMMENT_DELETE,SHARE,SHARE_MENTION"
_PAGE_ITEMS: Final = 100
_LATE: Final = timedelta(minutes=10)
"""How long a notification may take until it is listed under its time."""
_KEPT: Final = timedelta(days=60) - timedelta(hours=1)
_FIRST_LOOK: Final = timedelta(days=1)
_EVERY_SECONDS: Final = 300.0


class _Position(msgspec.Struct):
    heard_until: datetime | None = None
    """Every notification of before is kept."""


class Notifications:
    """The notifications of one organization."""

    def __init__(self, api: OAuthApi, base: str, organization: str, clock: Clock) -> None:
        urn = organization if organization.startswith("urn:") else f"urn:li:organization:{organization}"
        self._api = api
        # Only what stands for a value may be escaped: httpx would escape the brackets and commas of Rest.li as well.
        self._url = f"{base}/rest/organizationalEntityNotifications?q=criteria&actions=List({_ACTIONS})"
        self._url += f"&organizationalEntity={quote(urn, safe='')}&count={_PAGE_ITEMS}"
        self._clock = clock

    async def fetch(self, cursor: bytes | None) -> Batch:
        """See `Poll`; the first look reads a day."""
        now = self._clock()
        heard_until = read_cursor(cursor, _Position).heard_until or now - _FIRST_LOOK
        since = max(heard_until, now - _KEPT)
        pages = list[bytes]()
        while True:
            times = f"(start:{_milliseconds(since)},end:{_milliseconds(now)})"
            start = len(pages) * _PAGE_ITEMS
            body = (await self._api.get(f"{self._url}&timeRange={times}&start={start}")).body
            found = len(list(json_object(body)["elements"]))
            if found:
                pages.append(body)
            if found < _PAGE_ITEMS:
                break
        missed = Missed.CURSOR_OUTDATED if since > heard_until else None
        return Batch(pages[::-1], write_cursor(_Position(now - _LATE)), missed=missed)


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def open_notifications(connection: Connection, tools: Tools) -> Source:
    """Open the notifications of an organization."""
    headers = {"linkedin-version": option(connection, "version", _VERSION), "x-restli-protocol-version": "2.0.0"}
    api = OAuthApi(connection, tools, token_url=_TOKENS, headers=headers, client_in_form=True)
    found = Notifications(api, connection.account.url or _API, account_id(connection), tools.clock)
    return Polling(found, Schedule(seconds(connection, _EVERY_SECONDS)))


FETCHER: Final = Fetcher("linkedin", open_notifications)
