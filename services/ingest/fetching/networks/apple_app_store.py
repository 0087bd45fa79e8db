"""Apple App Store: the public feeds of an app's newest reviews, one for each country.

`account` is the app's number. Options: `countries`, comma separated ("us"); `every_seconds` (1800).
"""

from typing import Final

from services.ingest.fetching.api import Api, json_object
from services.ingest.fetching.networks import Fetcher
from services.ingest.fetching.pace import Schedule
from services.ingest.fetching.polling import InTurn, NewestFirst, Page, Polling
from services.ingest.fetching.source import Connection, Source, Tools, account_id, option, seconds

_FEEDS: Final = "https://itunes.apple.com"
_MAX_PAGES: Final = 10
"""Apple answers no page behind this one."""
_EVERY_SECONDS: Final = 1800.0


class CustomerReviews:
    """The feed of one country."""

    def __init__(self, api: Api, base: str, country: str, app: str) -> None:
        self._api = api
        self._feed = f"{base}/{country}/rss/customerreviews"
        self._app = app

    async def page(self, token: str | None) -> Page:
        """See `Listing`."""
        number = int(token or "1")
        body = (await self._api.get(f"{self._feed}/page={number}/id={self._app}/sortBy=mostRecent/json")).body
        entry = json_object(body).at("feed", "entry")
        # Where there is one entry, Apple writes an object in place of a list.
        entries = list(entry) if entry.is_list() else [entry] if entry else []
        marks = [f"{each.at('id', 'label').text()}@{each.at('updated', 'label').text()}" for each in entries]
        return Page([body], marks, str(number + 1) if entries and number < _MAX_PAGES else None)


def open_feeds(connection: Connection, tools: Tools) -> Source:
    """Open the feeds of an app."""
    api = Api(tools.http, tools.clock)
    base, app = connection.account.url or _FEEDS, account_id(connection)
    countries = [each.strip().lower() for each in option(connection, "countries", "us").split(",")]
    polls = {
        country: NewestFirst(connection.integration, CustomerReviews(api, base, country, app), max_pages=_MAX_PAGES)
        for country in countries
    }
    return Polling(InTurn(polls), Schedule(seconds(connection, _EVERY_SECONDS)))


FETCHER: Final = Fetcher("apple_app_store", open_feeds)
