"""What must be there before the first migration: the service's schema, and its role that may use it and no other."""

import asyncio
import re

import asyncpg

from chassis.migrations.errors import MigrationError
from chassis.postgres.types import Connection

_SCHEMA = re.compile(r"[a-z][a-z0-9_]{0,40}")
_ATTEMPTS = 20
_RETRY_SECONDS = 0.05
_RACES = (asyncpg.UniqueViolationError, asyncpg.DuplicateObjectError, asyncpg.InternalServerError)
"""Roles belong to the whole server: another database's migration, out of reach of our lock, may make them too."""

# The owner of the tables is whoever migrates; the role may use them, not change them.
_GRANTS = """
CREATE SCHEMA IF NOT EXISTS {schema};
GRANT USAGE ON SCHEMA {schema} TO {role};
GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE ON ALL TABLES IN SCHEMA {schema} TO {role};
GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA {schema} TO {role};
ALTER DEFAULT PRIVILEGES IN SCHEMA {schema} GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE ON TABLES TO {role};
ALTER DEFAULT PRIVILEGES IN SCHEMA {schema} GRANT USAGE, SELECT ON SEQUENCES TO {role};
"""


def check_schema(schema: str) -> None:
    """Refuse a name that would need quoting: it becomes part of statements."""
    if not _SCHEMA.fullmatch(schema):
        raise MigrationError(f"{schema!r} is no schema name: use lower-case letters, digits and underscores")


async def ensure_schema(connection: Connection, schema: str) -> None:
    """Make the schema and its role where they are absent, and let the role use the schema's tables."""
    role = f"ascolto_{schema}"
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            async with connection.transaction():
                await _ensure_role(connection, role)
                await connection.execute(_GRANTS.format(schema=schema, role=role))
        except _RACES:
            if attempt == _ATTEMPTS:
                raise
            await asyncio.sleep(_RETRY_SECONDS)
        else:
            return


async def _ensure_role(connection: Connection, role: str) -> None:
    if not await connection.fetchval("SELECT 1 FROM pg_roles WHERE rolname = $1", role):
        await connection.execute(f"CREATE ROLE {role} NOLOGIN")
    # A superuser may assume every role; anybody else needs to be a member.
    if not await connection.fetchval("SELECT pg_has_role(current_user, $1, 'SET')", role):
        await connection.execute(f"GRANT {role} TO CURRENT_USER")
