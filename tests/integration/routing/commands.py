"""`ascolto reclassify` as a process of its own, to be run, refused and killed, and what it leaves in the store."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from time import monotonic
from typing import Any, Final

from chassis.postgres import Pool
from tests.integration.routing.crowd import Member

CANDIDATE: Final = str(Path(__file__).with_name("candidate.py"))
WITH_TOLD: Final = (sys.executable, CANDIDATE, "reclassify")
AS_SHIPPED: Final = (str(Path(sys.executable).with_name("ascolto")), "reclassify")
TOLD: Final = ("--model", "told", "--json")

Condition = Callable[[], Awaitable[bool]]


async def until(condition: Condition) -> None:
    deadline = monotonic() + 60
    while not await condition():
        assert monotonic() < deadline, "the condition did not hold in time"
        await asyncio.sleep(0.005)


class Command:
    """`ascolto reclassify` of the tenant acme, in a process of its own."""

    def __init__(self, dsn: str, folder: Path, **environment: str) -> None:
        self._folder = folder
        of_acme = {"POSTGRES_DSN": dsn, "ASCOLTO_TENANT": "acme", "COLUMNS": "200"}
        self._environment = {**os.environ, **of_acme, **environment}

    def start(self, *words: str, program: Sequence[str] = WITH_TOLD) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [*program, *words],
            cwd=self._folder,
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    async def run(self, *words: str, program: Sequence[str] = WITH_TOLD) -> str:
        """What it prints; it ends well."""
        out, error, code = await self.ended(*words, program=program)
        assert (code, error) == (0, "")
        return out

    async def ended(self, *words: str, program: Sequence[str] = WITH_TOLD) -> tuple[str, str, int]:
        """What it prints, what it complains of, and how it ends."""
        with self.start(*words, program=program) as running:
            out, error = await asyncio.to_thread(running.communicate)
        return out, " ".join(error.split()), running.returncode

    async def report(self, *words: str, program: Sequence[str] = WITH_TOLD) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (await self.run(*words, program=program)).splitlines()]

    async def killed(self, *words: str, when: Condition) -> None:
        """Run it and kill it with -9 as soon as `when` holds, before it has ended."""
        with self.start(*words) as running:
            await until(when)
            running.kill()
        assert running.returncode == -9


async def the_run(pool: Pool) -> dict[str, Any]:
    row = await pool.fetchrow("SELECT * FROM reclassification_run ORDER BY started_at DESC LIMIT 1")
    return dict(row) if row else {"judged": 0, "promoted": 0}


def beyond(pool: Pool, count: str, number: int) -> Condition:
    async def reached() -> bool:
        return bool((await the_run(pool))[count] > number)

    return reached


async def snapshot(pool: Pool, members: Sequence[Member]) -> list[str]:
    """Everything that stands of posts, and their labels."""
    names = [member.name for member in members]
    found = await pool.fetch(
        "SELECT stood::text || coalesce(label::text, '') AS row "
        "FROM decision AS stood LEFT JOIN label USING (post_name) "
        "WHERE stood.post_name = ANY ($1) ORDER BY stood.post_name",
        names,
    )
    return [row["row"] for row in found]


async def emitted(pool: Pool) -> list[tuple[str, str]]:
    """Event id and post of everything in the outbox."""
    rows = await pool.fetch("SELECT headers->>'ce_id' AS id, headers->>'ce_subject' AS post FROM outbox ORDER BY id")
    return [(row["id"], row["post"]) for row in rows]


async def stands(pool: Pool, members: Sequence[Member]) -> dict[str, tuple[str, str, str]]:
    rows = await pool.fetch(
        "SELECT post_name, category, decision, kind FROM decision WHERE post_name = ANY ($1)",
        [member.name for member in members],
    )
    return {row["post_name"]: (row["category"], row["decision"], row["kind"]) for row in rows}


async def refusal(command: Command, *words: str, program: Sequence[str] = WITH_TOLD) -> str:
    """What a command that is refused says of it."""
    out, error, code = await command.ended(*words, program=program)
    assert (out, code) == ("", 1)
    return error
