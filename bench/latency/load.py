"""Posts at a steady rate, whether or not the earlier ones were answered in time."""

import asyncio
import time
from typing import Final

from bench.deliveries import Hook
from bench.http_client import Connection, connections
from bench.latency.timing import Timing
from contracts.identity import post_id, post_name
from contracts.integrations import Integration

CONNECTIONS: Final = 64
OK: Final = 200


class Load:
    """Sends posts of one integration to ingest; `first` numbers its posts, so that no two loads send the same."""

    def __init__(self, integration: Integration, host: str, port: int, first: int = 0) -> None:
        secret = integration.secrets[0].removeprefix("plain:")
        self._hook = Hook(f"{host}:{port}", integration.id, secret)
        self._integration = integration
        self._host, self._port = host, port
        self._first = first

    async def send(self, posts_per_second: int, seconds: float) -> Timing:
        """Send for so long; return when the last post is answered."""
        timing = Timing()
        idle: asyncio.Queue[Connection] = asyncio.Queue()
        async with connections(self._host, self._port, CONNECTIONS) as opened, asyncio.TaskGroup() as sending:
            for connection in opened:
                idle.put_nowait(connection)
            began_at = time.monotonic()
            for number in range(round(posts_per_second * seconds)):
                due_at = began_at + number / posts_per_second
                await asyncio.sleep(max(due_at - time.monotonic(), 0))
                sending.create_task(self._send(idle, self._first + number, due_at, timing))
        return timing

    async def _send(self, idle: "asyncio.Queue[Connection]", number: int, due_at: float, timing: Timing) -> None:
        native_id = f"bench-{number}"
        name = post_name(self._integration.tenant, post_id(self._integration.tenant, self._integration.id, native_id))
        timing.due_at[name] = due_at
        connection = await idle.get()
        status = await connection.exchange(self._hook.delivery(native_id, number))
        assert status == OK, f"ingest answered {status}"
        timing.accepted_at[name] = time.monotonic()
        idle.put_nowait(connection)
