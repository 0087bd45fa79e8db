"""Google Play: the reviews of an app that were written or changed in the last seven days.

`account` is the app's package name; for the secret (a service account's key file) see `_oauth`. Options:
`every_seconds` (600): the quota is 200 looks an hour for all apps of a project.
"""

from typing import Final

from services.ingest.fetching.api import json_object
from services.ingest.fetching.networks import Fetcher
from services.ingest.fetching.networks._oauth import OAuthApi
from services.ingest.fetching.pace import Schedule
from services.ingest.fetching.polling import NewestFirst, Page, Polling
from services.ingest.fetching.source import Connection, Source, Tools, account_id, seconds
from services.ingest.payload import Node

_API: Final = "https://androidpublisher.googleapis.com"
_TOKENS: Final = "https://oauth2.googleapis.com/token"
_SCOPE: Final = "https://www.googleapis.com/auth/androidpublisher"
_PAGE_ITEMS: Final = "100"
_EVERY_SECONDS: Final = 600.0


class Reviews:
    """The reviews of one app, last changed first."""

    def __init__(self, api: OAuthApi, base: str, package: str) -> None:
        self._api = api
        self._url = f"{base}/androidpublisher/v3/applications/{package}/reviews"

    async def page(self, token: str | None) -> Page:
        """See `Listing`."""
        body = (await self._api.get(self._url, {"maxResults": _PAGE_ITEMS} | ({"token": token} if token else {}))).body
        document = json_object(body)
        marks = [_mark(each) for each in document["reviews"]]
        return Page([body], marks, document.at("tokenPagination", "nextPageToken").text())


def _mark(listed: Node) -> str:
    """A review and its answer, each with the second of its last change."""
    said = [each[kind] for each in listed["comments"] for kind in ("userComment", "developerComment") if each[kind]]
    return "@".join([listed["reviewId"].id() or "", *(str(each["lastModified"]["seconds"].integer()) for each in said)])


def open_reviews(connection: Connection, tools: Tools) -> Source:
    """Open the reviews of an app."""
    api = OAuthApi(connection, tools, token_url=_TOKENS, scope=_SCOPE)
    reviews = Reviews(api, connection.account.url or _API, account_id(connection))
    return Polling(NewestFirst(connection.integration, reviews), Schedule(seconds(connection, _EVERY_SECONDS)))


FETCHER: Final = Fetcher("google_play", open_reviews)
