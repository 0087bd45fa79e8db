"""Sampling: what a network says at the moment, asked as fetching asks it, and nothing kept: no post and no position."""

import asyncio
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import replace
from typing import Final

from contracts.integrations import Integration
from services.ingest.fetching.coverage import Reason
from services.ingest.fetching.opening import Opener
from services.ingest.fetching.source import FetchFailed, Source

LONGEST_SECONDS: Final = 20.0
"""A stream is listened to for so long, and a network that does not answer is given up."""


class Sampler:
    """Takes samples of accounts that are fetched; disturbs nobody who fetches them meanwhile."""

    def __init__(self, opener: Opener, *, items: int = 20, seconds: float = LONGEST_SECONDS) -> None:
        self._open = replace(opener, tools=replace(opener.tools, first_messages=items))
        self._items = items
        self._seconds = seconds

    async def __call__(self, integration: Integration, items_in: Callable[[bytes], int]) -> list[bytes]:
        """Payloads as the network sent them, with about so many items; `items_in` counts those of one.

        Raises `InvalidConnection` where something is missing, and `FetchFailed`.
        """
        source = self._open(integration).source
        return await sample(source, items_in, items=self._items, seconds=self._seconds)


async def sample(source: Source, items_in: Callable[[bytes], int], *, items: int, seconds: float) -> list[bytes]:
    """Listen until there are enough items, or no more to ask for, or the time is over; raises `FetchFailed`."""
    payloads, count, answered = list[bytes](), 0, False
    try:
        async with asyncio.timeout(seconds), aclosing(source.frames(None)) as frames:
            async for frame in frames:
                answered = True
                payloads += frame.payloads
                count += sum(map(items_in, frame.payloads))
                if count >= items or frame.complete:
                    break
    except TimeoutError:
        if not answered:
            raise FetchFailed(Reason.UNREACHABLE, f"no answer within {seconds:g} s") from None
    return payloads
