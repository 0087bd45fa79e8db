"""Which pages a browser lets talk to us: the CORS protocol of the Fetch standard."""

from collections.abc import Collection, Mapping
from typing import Final

_MAX_AGE_SECONDS: Final = 600


def is_allowed(origin: str | None, allowed_origins: Collection[str]) -> bool:
    """Tell whether a page at `origin` may ask; "*" allows all. Without an origin it is no browser that asks."""
    return origin is None or origin in allowed_origins or "*" in allowed_origins


def cors_headers(origin: str | None, *, methods: str, request_headers: str, exposed: str = "") -> Mapping[str, str]:
    """The headers of every answer to an allowed page, a preflight's included."""
    if origin is None:
        return {}
    headers = {
        "access-control-allow-origin": origin,
        "access-control-allow-methods": methods,
        "access-control-allow-headers": request_headers,
        "access-control-max-age": str(_MAX_AGE_SECONDS),
        "vary": "origin",
    }
    return headers | {"access-control-expose-headers": exposed} if exposed else headers
