"""The store of routing, as commands reach it: whatever is wrong with it is told with what to do."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Final

import asyncpg
from pydantic import ValidationError

from chassis.postgres import POSTGRES_UNAVAILABLE, PostgresSettings, Session, closed_means_unavailable, connect
from cli.errors import CommandError
from cli.settings import Addresses
from contracts.topics import ROUTING

_NO_URL: Final = "POSTGRES_DSN: is no PostgreSQL URL; give one such as postgresql://user@host:5432/ascolto."


@asynccontextmanager
async def routing_store(
    addresses: Addresses, application_name: str, *, statement_seconds: float, role: str | None = None
) -> AsyncIterator[Session]:
    """A session during the block, which raises CommandError for whatever PostgreSQL makes it end with.

    `role` is as in `PostgresSettings`.
    """
    settings = _settings(addresses.need("postgres_dsn"), statement_seconds, role)
    with _told():
        try:
            session = await connect(settings, schema=ROUTING, application_name=application_name)
        except (asyncpg.ClientConfigurationError, ValueError) as error:
            raise CommandError(_NO_URL) from error
        try:
            with closed_means_unavailable():
                yield session
        finally:
            await session.close(timeout=5)


def _settings(dsn: str, statement_seconds: float, role: str | None) -> PostgresSettings:
    times = {"statement_timeout_seconds": statement_seconds, "command_timeout_seconds": statement_seconds + 5}
    given = {"dsn": dsn, **times} | ({} if role is None else {"role": role})
    try:
        return PostgresSettings.model_validate(given)
    except ValidationError as error:
        raise CommandError(_NO_URL) from error


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except POSTGRES_UNAVAILABLE as error:
        raise CommandError(
            f"The store of routing cannot be reached: {str(error) or type(error).__name__}. Nothing is lost: look at "
            "PostgreSQL and POSTGRES_DSN, and run the same command again."
        ) from error
    except asyncpg.PostgresError as error:
        raise CommandError(
            f"The store of routing refuses: {error}. Run `ascolto migrate`, and see that the user of POSTGRES_DSN may "
            "act as ascolto_routing."
        ) from error
