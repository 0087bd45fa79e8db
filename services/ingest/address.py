"""Whose address a request comes from, for rate limits alone: it is neither kept nor logged."""

from starlette.requests import HTTPConnection


def address_of(request: HTTPConnection, trusted_proxies: int) -> str:
    """The address that the outermost of our own proxies saw.

    Each proxy appends to X-Forwarded-For whom it was asked by, so what stands further left is the client's own
    invention. With fewer entries than proxies the request came past them, and the socket tells who it was.
    """
    if trusted_proxies > 0:
        hops = [hop.strip() for line in request.headers.getlist("x-forwarded-for") for hop in line.split(",")]
        if len(hops) >= trusted_proxies:
            return hops[-trusted_proxies]
    return request.client.host if request.client else ""
