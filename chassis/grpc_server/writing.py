"""Writing to a reader who may be slow: for so long, and then the stream ends."""

import asyncio
from typing import TypeVar

import grpc

from chassis.api_errors import ChassisReason, resource_exhausted

Response = TypeVar("Response")


async def write_within(context: grpc.aio.ServicerContext[object, Response], message: Response, seconds: float) -> None:
    """Write one message of a stream, and wait for a slow reader no longer than `seconds`.

    About 5 MiB gather before a write has to wait at all. Raises ApiError RESOURCE_EXHAUSTED, reason READER_TOO_SLOW;
    the client resumes from its last cursor. Servicers that are generators are written this way by themselves.
    """
    try:
        async with asyncio.timeout(seconds):
            await context.write(message)
    except TimeoutError:
        explanation = f"Nothing was read for {seconds:g} seconds: resume from your last cursor, and read faster."
        raise resource_exhausted(ChassisReason.READER_TOO_SLOW, explanation) from None
