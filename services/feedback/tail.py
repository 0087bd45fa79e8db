"""The end of the insight log in memory: what all streams of a process are fed from, bounded in rows and bytes."""

from bisect import bisect_right
from collections.abc import Sequence

from services.feedback.filters import Filter
from services.feedback.store.log import Entry


class Tail:
    """The entries with floor < seq <= head, of all tenants, in order."""

    def __init__(self, *, max_rows: int, max_bytes: int) -> None:
        self._max_rows = max_rows
        self._max_bytes = max_bytes
        self._entries: list[Entry] = []
        self._bytes = 0
        self._of_post: dict[str, Entry] = {}
        self.floor = 0
        """Whoever stands before it reads the store."""
        self.head = 0

    def restart(self, head: int) -> None:
        """Hold nothing up to `head`."""
        self._entries, self._bytes, self._of_post = [], 0, {}
        self.floor = self.head = head

    def extend(self, entries: Sequence[Entry], head: int) -> None:
        """Take in all entries between the present head and the new one."""
        for entry in entries:
            self._forget_what_was_said(entry)
            self._entries.append(entry)
            self._bytes += entry.size_bytes
        self.head = head
        self._trim()

    def read(self, after: int, tenant: str, narrowed: Filter, *, limit: int, max_bytes: int) -> tuple[list[Entry], int]:
        """What follows `after` (at least the floor) and passes, and the seq up to which that is all there is."""
        found: list[Entry] = []
        weight = 0
        for entry in self._entries[bisect_right(self._entries, after, key=_seq) :]:
            if len(found) == limit or weight >= max_bytes:
                return found, found[-1].seq
            if entry.insight.tenant == tenant and narrowed.passes(entry.insight):
                found.append(entry)
                weight += entry.size_bytes
        return found, self.head

    def _forget_what_was_said(self, newer: Entry) -> None:
        """A newer insight of a post takes the text from the older one, as it does in the store."""
        name = newer.insight.post_name
        if name is None:
            return
        older = self._of_post.get(name)
        if older is not None:
            self._bytes -= len(older.evidence or b"")
            older.evidence = None
        self._of_post[name] = newer

    def _trim(self) -> None:
        """Let the oldest go, a quarter at a time, so that it costs little per entry."""
        excess = 0
        while len(self._entries) - excess > self._max_rows or self._bytes > self._max_bytes:
            gone = self._entries[excess : excess + max(1, self._max_rows // 4)]
            excess += len(gone)
            for entry in gone:
                self._bytes -= entry.size_bytes
                if self._of_post.get(entry.insight.post_name or "") is entry:
                    del self._of_post[entry.insight.post_name or ""]
        if excess:
            self.floor = self._entries[excess - 1].seq
            del self._entries[:excess]


def _seq(entry: Entry) -> int:
    return entry.seq
