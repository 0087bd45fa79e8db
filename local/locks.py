"""File locks: one stack per root folder, and one family of server processes per server folder.

The kernel drops a lock when the last process that holds its descriptor is gone, so a lock that a server's
processes inherit tells, without a look at any process list, whether one of them still lives.
"""

import fcntl
import os
import time
from pathlib import Path

RETRY_SECONDS = 0.05


def try_lock(path: Path) -> int | None:
    """Lock a file and leave our process id in it. Return the descriptor, or None while somebody else holds it."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    if not _lock(descriptor):
        os.close(descriptor)
        return None
    os.ftruncate(descriptor, 0)
    os.write(descriptor, str(os.getpid()).encode())
    return descriptor


def holder(path: Path) -> int | None:
    """Return the id of the process that locked the file, or None while nobody holds it."""
    if not path.exists():
        return None
    descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    try:
        if _lock(descriptor):
            return None
        return int(os.read(descriptor, 32) or 0) or None
    finally:
        os.close(descriptor)


def wait_for(path: Path, deadline_seconds: float) -> int | None:
    """Lock a file or folder, waiting for it up to the deadline. Return its descriptor, or None when it passed."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    give_up_at = time.monotonic() + deadline_seconds
    while not _lock(descriptor):
        if time.monotonic() > give_up_at:
            os.close(descriptor)
            return None
        time.sleep(RETRY_SECONDS)
    return descriptor


def _lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
