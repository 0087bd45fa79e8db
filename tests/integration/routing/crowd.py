"""Many decided posts, written by COPY, of which it is known what stands and what the candidate will say."""

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

from ascolto.posts.v1 import post_pb2 as posts
from chassis.postgres import Pool
from contracts import identity
from services.routing.judgement import CATEGORY_OF
from services.routing.standing import Decided
from services.routing.vocabulary import CATEGORIES, KINDS
from tests.factories import NOW, make_post_classified

LANGUAGES: Final = ("en", "it", "und")
NETWORKS: Final = ("telegram", "x")
_KINDS: Final = [kind for kind in CATEGORY_OF if kind != "own"]
Verdict = tuple[str, str, str]
"""Category, decision, kind."""


@dataclass(frozen=True)
class Member:
    """One post."""

    name: str
    fate: str
    """"live", "labelled", "deleted" or "own"."""
    language: str
    network: str
    stands: Verdict
    candidate: Verdict
    label: str

    @property
    def judged(self) -> bool:
        return self.fate in {"live", "labelled"}

    @property
    def differs(self) -> bool:
        return self.fate == "live" and self.stands != self.candidate


def crowd(size: int, *, tenant: str = "acme", seed: int = 1, differing: float = 0.2) -> list[Member]:
    """`size` posts; of those that differ a third only in their kind, and a third in whether the candidate abstains."""
    chance = random.Random(seed)
    return [_member(tenant, chance, differing) for _ in range(size)]


def _member(tenant: str, chance: random.Random, differing: float) -> Member:
    stands = candidate = _verdict(chance)
    if chance.random() < differing:
        candidate = chance.choice([_verdict(chance), _other_kind(chance, stands), _other_decision(stands)])
    fates, weights = ("live", "labelled", "deleted", "own"), (0.94, 0.03, 0.02, 0.01)
    return Member(
        name=identity.post_name(tenant, UUID(int=chance.getrandbits(128), version=4)),
        fate=chance.choices(fates, weights)[0],
        language=chance.choice(LANGUAGES),
        network=chance.choice(NETWORKS),
        stands=stands,
        candidate=candidate,
        label=chance.choice([*CATEGORIES]),
    )


def _verdict(chance: random.Random) -> Verdict:
    kind = chance.choice(_KINDS)
    return CATEGORY_OF[kind].value, chance.choice(["assigned", "assigned", "assigned", "abstained"]), kind.value


def _other_kind(chance: random.Random, stands: Verdict) -> Verdict:
    category, decision, _ = stands
    return category, decision, chance.choice([kind.value for kind in _KINDS if CATEGORY_OF[kind] == category])


def _other_decision(stands: Verdict) -> Verdict:
    category, decision, kind = stands
    return category, "assigned" if decision == "abstained" else "abstained", kind


async def settle(pool: Pool, members: Sequence[Member]) -> None:
    """Let what stands of the posts stand."""
    rows = [row for at, member in enumerate(members) for row in [_decided(member, at)]]
    labels = [_label(member, at) for at, member in enumerate(members) if member.fate == "labelled"]
    async with pool.acquire() as connection:
        await connection.copy_records_to_table("decision", records=rows, columns=Decided._fields)
        await connection.copy_records_to_table("label", records=labels, columns=_LABEL)


_LABEL: Final = ("post_name", "tenant", "id", "category", "reason", "corrected_by", "corrected_at", "revision")


def _label(member: Member, at: int) -> tuple[object, ...]:
    return (member.name, identity.tenant_of(member.name), UUID(int=at), member.label, "", "users/ada", NOW, 1)


_TEMPLATE: Final = make_post_classified()


def _decided(member: Member, at: int) -> Decided:
    category, decision, kind = member.stands
    if member.fate == "labelled":
        category, decision = member.label, "corrected"
    if member.fate in {"own", "deleted"}:
        category, decision = "other", "rule"
    heard_at = NOW - timedelta(seconds=at)
    return Decided(
        post_name=member.name,
        tenant=identity.tenant_of(member.name),
        conversation=identity.last_segment(_TEMPLATE.post.conversation),
        network=member.network,
        language=member.language,
        revision=1,
        deleted=member.fate == "deleted",
        authority="person" if decision == "corrected" else "model",
        decided_at=heard_at,
        event_id=UUID(int=at),
        category=category,
        kind=kind,
        decision=decision,
        stage="person" if decision == "corrected" else "linear",
        model="models/first@1",
        probability=0.9,
        heard_at=heard_at,
        priority_at=heard_at,
        payload=None if member.fate == "deleted" else _payload(member),
        corrected_by=None,
        correction_reason=None,
    )


def _payload(member: Member) -> bytes:
    """The post says what the candidate is to make of it; the model that stands thought what stands, sure of it."""
    message, (category, _, kind) = _TEMPLATE, member.stands
    message.post.name = member.name
    message.post.network = member.network
    message.post.direction = posts.DIRECTION_OWN if member.fate == "own" else posts.DIRECTION_INBOUND
    message.post.utterance.text = " ".join((member.candidate[0], member.candidate[2], member.candidate[1]))
    message.post_event_id = identity.last_segment(member.name)
    message.classification.category = CATEGORIES[category]
    message.classification.kind = KINDS[kind]
    for each in message.classification.probabilities:
        each.probability = 0.91 if each.category == CATEGORIES[category] else 0.03
    return message.SerializeToString()


def side(verdict: Verdict) -> str:
    return "abstained" if verdict[1] == "abstained" else verdict[0]


def confusion(members: Sequence[Member]) -> dict[tuple[str, str, str, str], tuple[int, int]]:
    """Of each cell how many posts, and how many of them differ."""
    cells: Counter[tuple[str, str, str, str]] = Counter()
    differing: Counter[tuple[str, str, str, str]] = Counter()
    for member in members:
        if member.fate == "live":
            cell = member.language, member.network, side(member.stands), side(member.candidate)
            cells[cell] += 1
            differing[cell] += member.differs
    return {cell: (number, differing[cell]) for cell, number in cells.items()}


def accuracies(members: Sequence[Member]) -> tuple[int, float, float]:
    """Of the labelled posts how many, and how often what stood and the candidate agree with people."""
    labelled = [member for member in members if member.fate == "labelled"]
    stood = sum(member.stands[0] == member.label for member in labelled) / len(labelled)
    return len(labelled), stood, sum(member.candidate[0] == member.label for member in labelled) / len(labelled)
