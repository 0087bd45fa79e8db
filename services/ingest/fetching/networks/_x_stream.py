"""The filtered stream of X, and the posts that it did not bring: recent search is asked for them by the same rules.

X keeps a stream for nobody, and may lose posts of an open one. So a look back is due whenever the stream is opened
and a few times an hour; what it repeats costs nothing on the same day. Only looks move the position.
"""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from typing import Final
from urllib.parse import urlencode

import msgspec

from services.ingest.fetching.api import json_object
from services.ingest.fetching.coverage import Missed
from services.ingest.fetching.cursors import read_cursor, write_cursor
from services.ingest.fetching.networks._oauth import OAuthApi
from services.ingest.fetching.networks._x_fields import FIELDS, PAGE
from services.ingest.fetching.networks._x_rules import Rules
from services.ingest.fetching.source import Frame, Tools
from services.ingest.fetching.streaming import lines
from services.ingest.payload import Node, read_json

_LOOK_SECONDS: Final = 900.0
_UNSETTLED: Final = timedelta(minutes=2)
"""How long X may take until search finds a post; it also refuses to be asked about the last ten seconds."""
_KEPT: Final = timedelta(days=7) - timedelta(minutes=5)
"""How far back recent search reaches."""


class _Position(msgspec.Struct):
    heard_until: datetime | None = None
    """Every post that was written before is kept."""


class FilteredStream:
    """One connection, as X allows to an app; the posts of rules that are not ours are left to others."""

    def __init__(self, integration: str, tools: Tools, api: OAuthApi, base: str, wanted: Sequence[str]) -> None:
        self._tools = tools
        self._api = api
        self._base = f"{base}/2/tweets/search"
        self._wanted = wanted
        self._rules = Rules(api, f"{self._base}/stream/rules", integration, wanted)

    async def frames(self, cursor: bytes | None) -> AsyncGenerator[Frame, None]:
        """See `Source`; it is opened before the look back, so that nothing falls between the two."""
        loop = asyncio.get_running_loop()
        heard_until = read_cursor(cursor, _Position).heard_until
        due_at = loop.time() + (_LOOK_SECONDS if heard_until is None else 0.0)
        heard_until = heard_until or self._settled()
        ours = await self._rules.settle()
        url, shown = f"{self._base}/stream?{urlencode(FIELDS)}", await self._api.authorization()
        async with aclosing(lines(self._tools.http, url, self._tools.clock, shown)) as stream:
            async for told in stream:
                if loop.time() >= due_at:
                    until, ours = self._settled(), await self._rules.settle()
                    earliest = self._tools.clock() - _KEPT
                    if heard_until < earliest:
                        heard_until = earliest
                        yield Frame((), write_cursor(_Position(heard_until)), missed=Missed.CURSOR_OUTDATED)
                    async with aclosing(self._written_since(heard_until)) as pages:
                        async for page in pages:
                            yield Frame([page], write_cursor(_Position(heard_until)))
                    heard_until, due_at = until, loop.time() + _LOOK_SECONDS
                    yield Frame((), write_cursor(_Position(heard_until)), complete=True)
                payloads = [each for each in told if _matches(each, ours)]
                yield Frame(payloads, write_cursor(_Position(heard_until)))

    async def _written_since(self, moment: datetime) -> AsyncGenerator[bytes, None]:
        """The pages of what every rule finds."""
        since = f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
        for rule in self._wanted:
            params = PAGE | {"query": rule, "start_time": since}
            while True:
                body = (await self._api.get(f"{self._base}/recent", params)).body
                meta = json_object(body)["meta"]
                if meta["result_count"].integer() != 0:
                    yield body
                token = meta["next_token"].text()
                if token is None:
                    break
                params = params | {"next_token": token}

    def _settled(self) -> datetime:
        return self._tools.clock() - _UNSETTLED


def _matches(body: bytes, rules: frozenset[str]) -> bool:
    return any(each["id"].id() in rules for each in (read_json(body) or Node())["matching_rules"])
