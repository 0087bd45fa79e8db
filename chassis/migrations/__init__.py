"""Bringing a service's schema up to date."""

from chassis.migrations.errors import MigrationError
from chassis.migrations.migrate import migrate

__all__ = ["MigrationError", "migrate"]
