"""Google Business Profile: the reviews of locations, last changed first.

`account` is the account's name ("accounts/1"); for the secret see `_oauth`. Options: `locations`, comma separated
("locations/2,locations/3"); `every_seconds` (600).
"""

from typing import Final

from services.ingest.fetching.api import json_object
from services.ingest.fetching.networks import Fetcher
from services.ingest.fetching.networks._oauth import OAuthApi
from services.ingest.fetching.pace import Schedule
from services.ingest.fetching.polling import InTurn, NewestFirst, Page, Polling
from services.ingest.fetching.source import Connection, Source, Tools, account_id, option, seconds

_API: Final = "https://mybusiness.googleapis.com"
_TOKENS: Final = "https://oauth2.googleapis.com/token"
_SCOPE: Final = "https://www.googleapis.com/auth/business.manage"
_ASKED: Final = {"pageSize": "50", "orderBy": "updateTime desc"}
_EVERY_SECONDS: Final = 600.0


class LocationReviews:
    """The reviews of one location."""

    def __init__(self, api: OAuthApi, url: str) -> None:
        self._api = api
        self._url = url

    async def page(self, token: str | None) -> Page:
        """See `Listing`."""
        body = (await self._api.get(self._url, _ASKED | ({"pageToken": token} if token else {}))).body
        document = json_object(body)
        marks = [f"{each['name'].text()}@{each['updateTime'].text()}" for each in document["reviews"]]
        return Page([body], marks, document["nextPageToken"].text())


def open_reviews(connection: Connection, tools: Tools) -> Source:
    """Open the reviews of an account's locations."""
    api = OAuthApi(connection, tools, token_url=_TOKENS, scope=_SCOPE)
    base = f"{connection.account.url or _API}/v4/{account_id(connection)}"
    locations = [each.strip() for each in option(connection, "locations").split(",")]
    polls = {
        each: NewestFirst(connection.integration, LocationReviews(api, f"{base}/{each}/reviews")) for each in locations
    }
    return Polling(InTurn(polls), Schedule(seconds(connection, _EVERY_SECONDS)))


FETCHER: Final = Fetcher("google_business_profile", open_reviews)
