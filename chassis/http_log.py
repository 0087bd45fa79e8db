"""The line of each HTTP request: by route template and status, never by path, query, body or address."""

import logging
import time

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_log = structlog.get_logger(__name__)
_CLIENT_ERROR, _SERVER_ERROR = 400, 500


def with_request_lines(app: ASGIApp) -> ASGIApp:
    """Log each request that `app` handles: refusals as info, failures as warnings, the rest for debugging only.

    A request that went well is told by the canonical line of the work that it caused.
    """

    async def logged(scope: Scope, receive: Receive, send: Send) -> None:
        status = _SERVER_ERROR

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        started = time.perf_counter()
        try:
            await app(scope, receive, noted)
        finally:
            _log_request(scope, status, time.perf_counter() - started)

    return logged


def _log_request(scope: Scope, status: int, seconds: float) -> None:
    _log.log(
        _level(status),
        "http_request",
        method=scope["method"],
        route=getattr(scope.get("route"), "path", None),
        status=status,
        duration_ms=round(seconds * 1000, 3),
    )


def _level(status: int) -> int:
    if status >= _SERVER_ERROR:
        return logging.WARNING
    return logging.INFO if status >= _CLIENT_ERROR else logging.DEBUG
