"""Feeds (RSS, Atom, JSON Feed): the whole feed, asked for on condition that it has changed.

Options: `url`, where it is longer than the address of a site; `every_seconds` (900).
"""

import hashlib
import re
from collections.abc import Mapping
from typing import Final

import msgspec

from chassis.outbound import Answer
from services.ingest.fetching.api import Api, not_modified
from services.ingest.fetching.cursors import read_cursor, write_cursor
from services.ingest.fetching.networks import Fetcher
from services.ingest.fetching.pace import Schedule
from services.ingest.fetching.polling import Batch, Polling
from services.ingest.fetching.source import Connection, Source, Tools, seconds, site

_ACCEPT: Final = "application/atom+xml, application/rss+xml, application/feed+json, application/xml;q=0.9, */*;q=0.5"
_MAX_AGE: Final = re.compile(r"\bmax-age=(\d{1,9})")
_MAX_WAIT_SECONDS: Final = 3600.0
_EVERY_SECONDS: Final = 900.0


class _Seen(msgspec.Struct):
    etag: str = ""
    modified: str = ""
    digest: str = ""


class FeedPoll:
    """One feed; servers that know no conditions are told by the digest of their answer."""

    def __init__(self, api: Api, url: str) -> None:
        self._api = api
        self._url = url

    async def fetch(self, cursor: bytes | None) -> Batch:
        """See `Poll`: what is not in the feed any more when we look was missed, which a feed cannot help."""
        seen = read_cursor(cursor, _Seen)
        answer = await self._api.get(self._url, headers={"accept": _ACCEPT, **_conditions(seen)})
        wait_seconds = fresh_for_seconds(answer.headers)
        if not_modified(answer):
            return Batch((), write_cursor(seen), wait_seconds=wait_seconds)
        now = _seen(answer)
        payloads = () if now.digest == seen.digest else (answer.body,)
        return Batch(payloads, write_cursor(now), wait_seconds=wait_seconds)


def fresh_for_seconds(headers: Mapping[str, str]) -> float:
    """How long the server says that asking again is no use; an hour at most."""
    found = _MAX_AGE.search(headers.get("cache-control", ""))
    return min(float(found[1]), _MAX_WAIT_SECONDS) if found else 0.0


def _conditions(seen: _Seen) -> dict[str, str]:
    conditions = {"if-none-match": seen.etag, "if-modified-since": seen.modified}
    return {name: value for name, value in conditions.items() if value}


def _seen(answer: Answer) -> _Seen:
    digest = hashlib.sha256(answer.body).hexdigest()
    return _Seen(answer.headers.get("etag", ""), answer.headers.get("last-modified", ""), digest)


def open_feed(connection: Connection, tools: Tools) -> Source:
    """Open a feed."""
    url = connection.options.get("url") or site(connection)
    return Polling(FeedPoll(Api(tools.http, tools.clock), url), Schedule(seconds(connection, _EVERY_SECONDS)))


FETCHER: Final = Fetcher("rss_atom", open_feed)
