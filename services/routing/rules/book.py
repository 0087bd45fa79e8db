"""The rules of all tenants as they are now: read from their folder, and again whenever a file changes."""

import asyncio
import re
from datetime import datetime
from pathlib import Path
from typing import Final, Self

import structlog

from ascolto.classification.v1 import classification_pb2 as pb
from ascolto.posts.v1 import post_pb2 as posts
from contracts.identity import tenant_of
from services.routing.rules import metrics
from services.routing.rules.engine import Engine
from services.routing.rules.files import Contents, load_file, read_folder
from services.routing.rules.problems import RulesError

_FOLDER: Final = "folder"
_MISSING: Final = re.compile(r'Key not found in map : "(\w+)"')
_log = structlog.get_logger(__name__)


class RuleBook:
    """Answers what is to be done about posts; `run` it beside those who ask.

    A file that cannot be used leaves the rules of its tenant as they were; a file that goes takes them along.
    """

    def __init__(self, folder: Path | None = None) -> None:
        """Nobody has rules until they are read; without a folder nobody ever has."""
        self._folder = folder
        self._contents: Contents = {}
        self._engines: dict[str, Engine] = {}
        self._refused: dict[str, RulesError] = {}
        self._told: set[tuple[str, str]] = set()

    @classmethod
    def open(cls, folder: Path | None) -> Self:
        """Read the folder for the first time; raises `RulesError` with every problem of every file."""
        book = cls(folder)
        book.refresh()
        if book._refused:
            raise RulesError([problem for error in book._refused.values() for problem in error.problems])
        return book

    def handle(self, classification: pb.Classification, post: posts.Post, heard_at: datetime) -> pb.Handling | None:
        """What is to be done about a post; None where the tenant has no rules, and where nothing is to be done."""
        tenant = tenant_of(post.name)
        engine = self._engines.get(tenant)
        if engine is None or nothing_to_do(post):
            return None
        ruling = engine.rule(classification, post, heard_at)
        for rule, reason in ruling.untold:
            self._note_untold(tenant, rule, reason)
        return ruling.handling

    def refresh(self) -> None:
        """Read what has changed; raises `RulesError` where the folder cannot be read. Blocks: call it off the loop."""
        contents = read_folder(self._folder) if self._folder else {}
        if contents == self._contents and _FOLDER not in self._refused:
            return
        engines, refused = {}, {}
        for path, content in contents.items():
            tenant, before = path.stem, self._engines.get(path.stem)
            if self._contents.get(path) == content:
                found = self._refused.get(path.name) or before
            else:
                found = self._read(path, content)
            if isinstance(found, Engine):
                engines[tenant] = found
            elif isinstance(found, RulesError):
                refused[path.name] = found
                if before:
                    engines.setdefault(tenant, before)
        self._contents, self._engines, self._refused = contents, engines, refused

    async def run(self, every_seconds: float) -> None:
        """Look for changes until cancelled."""
        while self._folder:
            await asyncio.sleep(every_seconds)
            try:
                await asyncio.to_thread(self.refresh)
            except RulesError as error:
                if _FOLDER not in self._refused:
                    _log.error("rules_unreadable", error=str(error))
                self._refused = self._refused | {_FOLDER: error}

    def trouble(self) -> str | None:
        """Which files cannot be used, or None: a check for `Health.add_degradation`."""
        if not self._refused:
            return None
        return "rules that cannot be used; the ones before them count on: " + "; ".join(
            f"{error.problems[0]} (and {more} more)" if (more := len(error.problems) - 1) else str(error)
            for error in self._refused.values()
        )

    def _read(self, path: Path, content: bytes) -> Engine | RulesError:
        try:
            engine = load_file(path, content)
        except RulesError as error:
            metrics.reloaded(path.stem, applied=False)
            _log.error("rules_refused", tenant=path.stem, problems=[str(each) for each in error.problems])
            return error
        metrics.reloaded(path.stem, applied=True)
        _log.info("rules_read", tenant=path.stem, rules=len(engine.rules.rules))
        self._told = {told for told in self._told if told[0] != path.stem}
        return engine

    def _note_untold(self, tenant: str, rule: str, reason: str) -> None:
        """Count a condition that could not be told, and log it once for as long as the file stays as it is."""
        metrics.untold(tenant, rule)
        if (tenant, rule) not in self._told:
            self._told.add((tenant, rule))
            _log.warning("rule_not_told", tenant=tenant, rule=rule, reason=_without_words(reason))


def _without_words(reason: str) -> str:
    """Why a condition could not be told, without what it may quote of a post: only the name of a field stays."""
    missing = _MISSING.search(reason)
    return f"the post has no {missing[1]}" if missing else reason.partition(":")[0]


def nothing_to_do(post: posts.Post) -> bool:
    """Tell whether nobody has to do anything about a post: the brand's own ones, and deletions."""
    return post.direction == posts.DIRECTION_OWN or post.state == posts.STATE_DELETED
