"""Closing aiokafka's clients."""

import asyncio
from collections.abc import Awaitable

from aiokafka.client import AIOKafkaClient


async def close_wholly(stop: Awaitable[None], client: AIOKafkaClient) -> None:
    """Await `stop`, and close what it leaves open.

    With a request in flight or about to be repeated, as while a broker is away, aiokafka awaits a task of its own that
    it has cancelled: its `stop` ends in a cancellation that nobody asked for, and its connections stay.
    """
    try:
        await stop
    except asyncio.CancelledError:
        if (task := asyncio.current_task()) is not None and task.cancelling():
            raise
    finally:
        await client.close()
