"""What the folder of rules held at one moment, and whose rules count since: one edition follows another."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple, Self

from ascolto.posts.v1 import post_pb2 as posts
from contracts.identity import tenant_of
from services.routing.judgement import Mix
from services.routing.mix import Stream
from services.routing.rules.engine import Engine
from services.routing.rules.files import ENDING, Contents, load_file
from services.routing.rules.problems import Problem, RulesError


class InForce(NamedTuple):
    """The rules of a tenant that count, and the content of the file that says so."""

    engine: Engine
    content: bytes


class Edition(NamedTuple):
    """A file that cannot be used leaves the rules of its tenant as they were; a file that goes takes them along."""

    contents: Contents
    in_force: Mapping[str, InForce]
    """By tenant."""
    refused: Mapping[Path, RulesError]

    def after(self, contents: Contents) -> Self:
        """The edition that follows once the files hold this; only what has changed is loaded."""
        in_force: dict[str, InForce] = {}
        refused: dict[Path, RulesError] = {}
        for path, content in contents.items():
            before = self.in_force.get(path.stem)
            found = _loaded(path, content) if self.contents.get(path) != content else self.refused.get(path) or before
            if isinstance(found, InForce):
                in_force[path.stem] = found
            elif found:
                refused[path] = found
                if before:
                    in_force.setdefault(path.stem, before)
        return self._replace(contents=contents, in_force=in_force, refused=refused)

    def restored(self, kept: Mapping[str, bytes]) -> Self:
        """The same with rules that were in force before, by tenant, for those whose file is bad and who have none."""
        loaded = {tenant: _loaded(Path(tenant + ENDING), kept[tenant]) for tenant in self.wanting & kept.keys()}
        found = {tenant: each for tenant, each in loaded.items() if isinstance(each, InForce)}
        return self._replace(in_force={**self.in_force, **found})

    @property
    def wanting(self) -> set[str]:
        """The tenants whose file is bad and who have no rules from before."""
        return {path.stem for path in self.refused} - self.in_force.keys()

    @property
    def counting(self) -> Mapping[str, bytes | None]:
        """Of each tenant that has a file the content that counts; None where none does."""
        named = dict.fromkeys(path.stem for path in self.contents)
        return named | {tenant: each.content for tenant, each in self.in_force.items()}

    def mixes_of(self, tenant: str) -> Mapping[Stream, Mix]:
        """What the tenant's rules say that the posts of its streams usually are."""
        found = self.in_force.get(tenant)
        return found.engine.rules.mixes if found else {}

    def mix_of(self, post: posts.Post, stream: Stream) -> Mix | None:
        """The mix of the stream of a post."""
        return self.mixes_of(tenant_of(post.name)).get(stream)


def _loaded(path: Path, content: bytes | Problem) -> InForce | RulesError:
    if isinstance(content, Problem):
        return RulesError([content])
    try:
        return InForce(load_file(path, content), content)
    except RulesError as error:
        return error
