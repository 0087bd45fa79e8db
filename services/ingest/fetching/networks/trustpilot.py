"""Trustpilot: the public reviews of a business unit, newest first.

`account` is the business unit's id, the secret an API key. Options: `every_seconds` (600). A review that is changed
later shows while it is among the newest hundred.
"""

from typing import Final

from services.ingest.fetching.api import Api, json_object
from services.ingest.fetching.networks import Fetcher
from services.ingest.fetching.pace import Schedule
from services.ingest.fetching.polling import NewestFirst, Page, Polling
from services.ingest.fetching.source import Connection, InvalidConnection, Source, Tools, account_id, seconds

_API: Final = "https://api.trustpilot.com"
_PAGE_ITEMS: Final = 100
_EVERY_SECONDS: Final = 600.0


class BusinessReviews:
    """The reviews of one business unit. The key travels in the query."""

    def __init__(self, api: Api, base: str, unit: str, key: str) -> None:
        self._api = api
        self._url = f"{base}/v1/business-units/{unit}/reviews"
        self._asked = {"apikey": key, "orderBy": "createdat.desc", "perPage": str(_PAGE_ITEMS)}

    async def page(self, token: str | None) -> Page:
        """See `Listing`."""
        number = int(token or "1")
        body = (await self._api.get(self._url, self._asked | {"page": str(number)})).body
        reviews = list(json_object(body)["reviews"])
        marks = [f"{each['id'].id()}@{each['updatedAt'].text() or ''}" for each in reviews]
        return Page([body], marks, str(number + 1) if len(reviews) == _PAGE_ITEMS else None)


def open_reviews(connection: Connection, tools: Tools) -> Source:
    """Open the reviews of a business unit."""
    if not connection.secret:
        raise InvalidConnection(f"{connection.integration}: trustpilot needs an API key as secret")
    api = Api(tools.http, tools.clock)
    reviews = BusinessReviews(api, connection.account.url or _API, account_id(connection), connection.secret)
    return Polling(NewestFirst(connection.integration, reviews), Schedule(seconds(connection, _EVERY_SECONDS)))


FETCHER: Final = Fetcher("trustpilot", open_reviews)
