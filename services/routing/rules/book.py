"""The rules of all tenants as they are now: read from their folder, and again whenever a file changes."""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Self

import structlog

from ascolto.classification.v1 import classification_pb2 as pb
from ascolto.posts.v1 import post_pb2 as posts
from contracts.identity import tenant_of
from services.routing.decisions import MixOf
from services.routing.judgement import Mix
from services.routing.mix import Stream
from services.routing.rules.edition import Edition
from services.routing.rules.engine import Engine
from services.routing.rules.files import read_folder
from services.routing.rules.problems import RulesError
from services.routing.rules.telling import Teller

_log = structlog.get_logger(__name__)


class RuleBook:
    """Answers what is to be done about posts; `run` it beside those who ask.

    A file that cannot be used leaves the rules of its tenant as they were; a file that goes takes them along.
    """

    def __init__(self, folder: Path | None = None) -> None:
        """Nobody has rules until they are read; without a folder nobody ever has."""
        self._folder = folder
        self._now = Edition({}, {}, {})
        self._unreadable: RulesError | None = None
        self._teller = Teller()

    @classmethod
    def open(cls, folder: Path | None) -> Self:
        """Read the folder for the first time; raises `RulesError` where it cannot be read."""
        book = cls(folder)
        if folder:
            book._now = book._now.after(read_folder(folder))
        return book

    def restore(self, kept: Mapping[str, bytes]) -> None:
        """Take what counted before this process for tenants that are `wanting`, and tell the log how all begin."""
        self._now = self._now.restored(kept)
        self._tell(self._now.contents)

    def handle(self, classification: pb.Classification, post: posts.Post, heard_at: datetime) -> pb.Handling | None:
        """What is to be done about a post; None where the tenant has no rules, and where nothing is to be done.

        Where the rules break down over it, that is what the tenant's default says.
        """
        tenant = tenant_of(post.name)
        found = self._now.in_force.get(tenant)
        if found is None or nothing_to_do(post):
            return None
        try:
            ruling = found.engine.rule(classification, post, heard_at)
        except Exception as error:  # noqa: BLE001 - a defect of the rules must cost neither the post nor those behind it
            self._teller.failed(tenant, error)
            return _by_default(found.engine, classification, post, heard_at)
        for rule, reason in ruling.untold:
            self._teller.untold(tenant, rule, reason)
        return ruling.handling

    def mix_of(self, post: posts.Post, stream: Stream) -> Mix | None:
        """What the tenant's rules say that the posts of a stream usually are."""
        return self._now.mix_of(post, stream)

    def mixes(self) -> MixOf:
        """The same, as it is now: for as long as one answer must be like another."""
        return self._now.mix_of

    def mixes_of(self, tenant: str) -> Mapping[Stream, Mix]:
        """The mixes of a tenant's streams."""
        return self._now.mixes_of(tenant)

    def refresh(self) -> None:
        """Read what has changed; raises `RulesError` where the folder cannot be read. Blocks: call it off the loop."""
        contents = read_folder(self._folder) if self._folder else {}
        self._unreadable = None
        before, self._now = self._now, self._now.after(contents)
        self._tell(path for path, content in contents.items() if before.contents.get(path) != content)

    async def run(self, every_seconds: float) -> None:
        """Look for changes until cancelled."""
        while self._folder:
            await asyncio.sleep(every_seconds)
            try:
                await asyncio.to_thread(self.refresh)
            except RulesError as error:
                if not self._unreadable:
                    _log.error("rules_unreadable", error=str(error))
                self._unreadable = error

    def counting(self) -> Mapping[str, bytes | None]:
        """Of each tenant that has a file the content that counts; None where none does."""
        return self._now.counting

    def wanting(self) -> set[str]:
        """The tenants whose file is bad and who have no rules from before."""
        return self._now.wanting

    def problems_of(self, tenant: str) -> RulesError | None:
        """Why the file of a tenant cannot be used."""
        found = [each for path, error in self._now.refused.items() if path.stem == tenant for each in error.problems]
        return RulesError(found) if found else None

    def trouble(self) -> str | None:
        """Which files cannot be used, or None: a check for `Health.add_degradation`."""
        now, wanting = self._now, self._now.wanting
        replaced = [error for path, error in now.refused.items() if path.stem not in wanting]
        missed = [error for path, error in now.refused.items() if path.stem in wanting]
        told = [
            _listed("rules that cannot be used; the ones before them count on", [self._unreadable, *replaced]),
            _listed("rules that cannot be used, of tenants that have none from before", missed),
        ]
        return ". ".join(filter(None, told)) or None

    def _tell(self, changed: Iterable[Path]) -> None:
        now = self._now
        for path in changed:
            if error := now.refused.get(path):
                self._teller.refused(path.stem, error, rules_before=path.stem in now.in_force)
            else:
                self._teller.read(path.stem, now.in_force[path.stem].engine)


def nothing_to_do(post: posts.Post) -> bool:
    """Tell whether nobody has to do anything about a post: the brand's own ones, and deletions."""
    return post.direction == posts.DIRECTION_OWN or post.state == posts.STATE_DELETED


def _by_default(
    engine: Engine, classification: pb.Classification, post: posts.Post, heard_at: datetime
) -> pb.Handling | None:
    """What is to be done where no rule fires; None where that cannot be told either."""
    try:
        return Engine(replace(engine.rules, rules=())).rule(classification, post, heard_at).handling
    except Exception:  # noqa: BLE001 - as above
        return None


def _listed(what: str, errors: Iterable[RulesError | None]) -> str:
    told = [
        f"{error.problems[0]} (and {more} more)" if (more := len(error.problems) - 1) else str(error)
        for error in errors
        if error
    ]
    return f"{what}: {'; '.join(told)}" if told else ""
