"""PostgreSQL for one service: settings, a bounded pool, transactions, and what means that the server is away."""

from chassis.postgres.errors import POSTGRES_UNAVAILABLE, closed_means_unavailable
from chassis.postgres.pool import connect, open_pool, transaction
from chassis.postgres.settings import PostgresSettings
from chassis.postgres.types import Connection, Pool, Queries, Row, Session

__all__ = [
    "POSTGRES_UNAVAILABLE",
    "Connection",
    "Pool",
    "PostgresSettings",
    "Queries",
    "Row",
    "Session",
    "closed_means_unavailable",
    "connect",
    "open_pool",
    "transaction",
]
