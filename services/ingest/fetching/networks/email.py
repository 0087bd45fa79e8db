"""E-mail by IMAP.

Options: `server` (imaps://host:993), `user`, `folder` (INBOX), `auth` ("password", the default, or "xoauth2": then the
secret is an access token). The secret is the password of the mailbox, or one made for applications.
"""

from typing import Final

from services.ingest.fetching.mailbox import Mailbox, MailboxAccess
from services.ingest.fetching.networks import Fetcher
from services.ingest.fetching.source import Connection, Source, Tools, option, seconds

_IDLE_SECONDS: Final = 300.0


def open_mailbox(connection: Connection, tools: Tools) -> Source:
    """Open a mailbox."""
    access = MailboxAccess(
        url=option(connection, "server"),
        user=option(connection, "user"),
        secret=connection.secret,
        folder=option(connection, "folder", "INBOX"),
        oauth=option(connection, "auth", "password") == "xoauth2",
        idle_seconds=seconds(connection, _IDLE_SECONDS, "idle_seconds"),
    )
    return Mailbox(access, tools.http, tools.clock, first_messages=tools.first_messages)


FETCHER: Final = Fetcher("email", open_mailbox)
