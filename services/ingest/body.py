"""Reading the body of a request without trusting its length or its pace."""

import asyncio
from typing import Final

from starlette.requests import Request

from services.ingest.refusals import Problem, Refused

MAX_SECONDS: Final = 30.0


async def read_body(request: Request, max_bytes: int) -> bytes:
    """Answer the raw body; refuses more than `max_bytes`, announced or not, and what trickles in."""
    announced = request.headers.get("content-length", "0")
    if not announced.isdecimal() or int(announced) > max_bytes:
        raise _too_large(max_bytes)
    try:
        async with asyncio.timeout(MAX_SECONDS):
            return await _read(request, max_bytes)
    except TimeoutError:
        detail = f"Send the whole body within {MAX_SECONDS:.0f} seconds."
        raise Refused(Problem.BODY_TOO_SLOW, detail) from None


async def _read(request: Request, max_bytes: int) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > max_bytes:
            raise _too_large(max_bytes)
    return bytes(body)


def _too_large(max_bytes: int) -> Refused:
    return Refused(Problem.BODY_TOO_LARGE, f"Send at most {max_bytes} bytes; split the delivery if need be.")
