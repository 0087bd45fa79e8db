"""What a redirect may carry on: everything within an origin, and to another one nothing that is meant for the first."""

from typing import Final

import httpx

from chassis.outbound.addresses import Forbidden

_FOR_ANYBODY: Final = frozenset(
    {
        "accept",
        "accept-encoding",
        "accept-language",
        "cache-control",
        "connection",
        "host",
        "if-modified-since",
        "if-none-match",
        "last-event-id",
        "user-agent",
    }
)
_WITHOUT_BODY: Final = frozenset({"GET", "HEAD"})


def redirected(sent: httpx.Request, following: httpx.Request) -> httpx.Request:
    """The request to send after `sent`, where httpx made `following` of the answer.

    Networks have headers of their own for their keys, so another origin sees only headers that are known to be none.
    Raises `Forbidden` where it would also be sent a body: tokens are asked for with secrets in it.
    """
    if _origin(sent.url) == _origin(following.url):
        return following
    if following.method not in _WITHOUT_BODY:
        raise Forbidden(f"{following.url.host}: another host sends us there with what was meant for it alone")
    for name in following.headers.keys() - _FOR_ANYBODY:
        del following.headers[name]
    return following


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port
