"""What stands beside what a candidate says, counted by language and network; the report of a run."""

from collections.abc import Sequence
from dataclasses import dataclass

from services.routing.reclassification.candidates import ABSTAINED


@dataclass(frozen=True, slots=True)
class Cell:
    """Posts of one language and network, decided so by what stands and so by the candidate; no person labelled them."""

    language: str
    network: str
    stands: str
    """A category, or "abstained"."""
    candidate: str
    posts: int
    differing: int
    """Less than `posts` where only of some the kind, or the category of what abstains, is another."""
    stands_by_language_model: int = 0
    """A language model decided, and the candidate abstains: neither equal nor differing."""
    examples: tuple[str, ...] = ()
    """Names of posts that differ."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """How often models thought what people said."""

    language: str
    network: str
    labels: int
    """Of posts that what stands was asked about."""
    stands_right: int
    candidate_right: int


@dataclass
class Group:
    """Everything of one language and network, or of all."""

    posts: int = 0
    equal: int = 0
    stands_by_language_model: int = 0
    """Neither equal nor differing: the candidate abstains, and the language model that decided is not asked."""
    stands_abstains: int = 0
    candidate_abstains: int = 0
    labels: int = 0
    stands_right: int = 0
    candidate_right: int = 0

    @property
    def differing(self) -> int:
        """What a promotion changes."""
        return self.posts - self.equal - self.stands_by_language_model

    @property
    def stands_accuracy(self) -> float | None:
        """None without labels."""
        return self.stands_right / self.labels if self.labels else None

    @property
    def candidate_accuracy(self) -> float | None:
        """None without labels."""
        return self.candidate_right / self.labels if self.labels else None


@dataclass(frozen=True)
class Comparison:
    """A run's findings."""

    cells: Sequence[Cell]
    agreements: Sequence[Agreement]

    def groups(self) -> dict[tuple[str, str], Group]:
        """By language and network, in their order."""
        found: dict[tuple[str, str], Group] = {}
        for cell in self.cells:
            _count(found.setdefault((cell.language, cell.network), Group()), cell)
        for agreement in self.agreements:
            _count_labels(found.setdefault((agreement.language, agreement.network), Group()), agreement)
        return dict(sorted(found.items()))

    def total(self) -> Group:
        """Over all languages and networks."""
        found = Group()
        for cell in self.cells:
            _count(found, cell)
        for agreement in self.agreements:
            _count_labels(found, agreement)
        return found

    def changes(self) -> dict[str, int]:
        """What a promotion changes, by what becomes of the posts."""
        found = dict.fromkeys(("to_another_category", "into_triage", "out_of_triage", "finer_only"), 0)
        for cell in self.cells:
            found[_change(cell)] += cell.differing
        return found


def _change(cell: Cell) -> str:
    if cell.stands == cell.candidate:
        return "finer_only"
    if cell.candidate == ABSTAINED:
        return "into_triage"
    return "out_of_triage" if cell.stands == ABSTAINED else "to_another_category"


def _count(group: Group, cell: Cell) -> None:
    group.posts += cell.posts
    group.equal += cell.posts - cell.differing - cell.stands_by_language_model
    group.stands_by_language_model += cell.stands_by_language_model
    group.stands_abstains += cell.posts if cell.stands == ABSTAINED else 0
    group.candidate_abstains += cell.posts if cell.candidate == ABSTAINED else 0


def _count_labels(group: Group, agreement: Agreement) -> None:
    group.labels += agreement.labels
    group.stands_right += agreement.stands_right
    group.candidate_right += agreement.candidate_right
