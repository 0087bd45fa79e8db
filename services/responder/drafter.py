"""The template drafter: what a person of the team would say first, in the customer's language, from the articles.

A complaint is met with its own trouble before anything else; a question is answered. Where no article helps, the
draft says so: it asks for the detail that is missing, or promises a person's look.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Final, Protocol

from services.responder.facts import Evidence
from services.responder.knowledge import Article, Found, Library
from services.responder.networks import limit_of
from services.responder.phrases import FALLBACK, LANGUAGES, Phrases, Problem, phrases, supported
from services.responder.words import fit, fold, holds, sentences, terms

DRAFTER: Final = "drafters/template@1"
PUBLIC_KINDS: Final = frozenset({"PUBLIC_POST", "PUBLIC_COMMENT", "REVIEW"})
_ROOMY_CHARACTERS: Final = 1_000
"""From here on a second paragraph of the article does not crowd the answer."""
_NAME_WORDS: Final = 3
_APOSTROPHES: Final = "'\N{RIGHT SINGLE QUOTATION MARK}"
_NAME: Final = re.compile(rf"[^\W\d_]+(?:[{_APOSTROPHES}-][^\W\d_]+)*")
_NAME_CHARACTERS: Final = range(2, 21)
_NO_NAMES: Final = frozenset(
    (
        *("guest", "visitor", "user", "customer", "admin", "team", "shop", "official", "support", "anonymous"),
        *("ospite", "visitatore", "utente", "cliente", "invitado", "visitante", "usuario", "convidado"),
        *("visiteur", "invite", "utilisateur", "client", "gast", "besucher", "nutzer", "kunde", "unknown"),
    )
)
_NAME_PARTICLES: Final = frozenset(("a", "d", "e", "s", "y", "da", "de", "di", "du", "la", "le", "so"))
"""Ordinary words that also stand in names of people."""


@dataclass(frozen=True, slots=True)
class DraftRequest:
    """One turn that wants an answer."""

    tenant: str
    network: str
    kind: str
    """The name of a posts.v1.Kind without its prefix."""
    complaint: bool
    language: str | None
    """BCP 47, where it is known."""
    display_name: str | None
    texts: tuple[str, ...]
    """What was written, oldest first."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A proposal for a person to approve, with what it rests on."""

    text: str
    language: str
    evidence: tuple[Evidence, ...]
    drafter: str


class Drafter(Protocol):
    """Writes drafts; pure and quick, or run where its slowness harms nobody."""

    def draft(self, request: DraftRequest) -> Draft:
        """Propose an answer to the turn."""


class TemplateDrafter:
    """Puts answers together from phrases and knowledge articles."""

    def __init__(self, articles: Iterable[Article]) -> None:
        by_language: dict[str, list[Article]] = {language: [] for language in LANGUAGES}
        for article in articles:
            by_language.setdefault(supported(article.language), []).append(article)
        self._libraries = {
            language: Library(found, phrases(language).folded_stopwords()) for language, found in by_language.items()
        }

    def draft(self, request: DraftRequest) -> Draft:
        """Propose an answer; it never exceeds what the network takes."""
        language = supported(request.language)
        words = phrases(language)
        text = "\n".join(request.texts)
        problem = _problem(text, words)
        found = self._libraries[language].find(text)
        opening = _opening(request, words, problem, found)
        body, evidence = (
            _from_article(found, request.network, opening, words)
            if found is not None
            else (_holding(request, words, problem), ())
        )
        return Draft(_compose(request, words, opening, body), language, evidence, DRAFTER)


def greeting_name(display_name: str | None) -> str | None:
    """The first name in a display name; None where it does not look like a person's name."""
    kept = f" .-{_APOSTROPHES}"
    parts = "".join(each for each in display_name or "" if each.isalnum() or each in kept).split()
    if not 1 <= len(parts) <= _NAME_WORDS or not _NAME.fullmatch(parts[0]):
        return None
    first = parts[0]
    ordinary = _ordinary_words()
    looks_like_one = first[0].isupper() and not first.isupper() and len(first) in _NAME_CHARACTERS
    return first if looks_like_one and ordinary.isdisjoint(fold(part) for part in parts) else None


@cache
def _ordinary_words() -> frozenset[str]:
    """Words that no name of a person holds."""
    return (phrases(FALLBACK).folded_stopwords() - _NAME_PARTICLES) | _NO_NAMES


def _problem(text: str, words: Phrases) -> Problem | None:
    """The kind of trouble that most of the words tell of; the first listed where two are equal."""
    said = terms(text)
    hits = {name: sum(holds(said, word) for word in problem.words) for name, problem in words.problems.items()}
    best = max(hits, key=lambda name: hits[name], default=None)
    return words.problems[best] if best and hits[best] else None


def _opening(request: DraftRequest, words: Phrases, problem: Problem | None, found: Found | None) -> str:
    if request.complaint:
        return problem.acknowledge if problem else words.acknowledge
    return words.thanks if found is None else ""


def _holding(request: DraftRequest, words: Phrases, problem: Problem | None) -> tuple[str, ...]:
    if problem is None or not request.complaint:
        return (words.look,)
    private = (words.in_private,) if problem.personal and request.kind in PUBLIC_KINDS else ()
    return (problem.ask, *private)


def _from_article(
    found: Found, network: str, opening: str, words: Phrases
) -> tuple[tuple[str, ...], tuple[Evidence, ...]]:
    limit = limit_of(network)
    first, *others = found.paragraphs
    answer = fit(sentences(first), limit - len(opening) - 1) or fit(sentences(first), limit)
    more = others[:1] if limit >= _ROOMY_CHARACTERS else []
    article = found.article
    evidence = tuple(
        Evidence(f"articles/{article.id}", article.title, article.language, article.content_sha256, passage)
        for passage in (answer, *more)
    )
    return (answer, *more, words.more), evidence


def _compose(request: DraftRequest, words: Phrases, opening: str, body: tuple[str, ...]) -> str:
    """All of it where there is room; else without what is polite but not needed, least needed first."""
    limit = limit_of(request.network)
    name = greeting_name(request.display_name)
    greeting = words.greeting.format(name=name) if name else words.greeting_nobody
    signature = words.signature.format(brand=_brand(request.tenant))
    roomy = limit >= _ROOMY_CHARACTERS
    essential = tuple(part for part in (opening, body[0]) if part)
    candidates = (
        (greeting, *essential, *body[1:], signature),
        (greeting, *essential, signature),
        (greeting, *essential),
        (*essential, signature),
        essential,
        (body[0],),
    )
    for parts in candidates:
        text = _joined(parts, signature, greeting, roomy=roomy)
        if len(text) <= limit:
            return text
    return fit(body[0].split(), limit)


def _joined(parts: tuple[str, ...], signature: str, greeting: str, *, roomy: bool) -> str:
    """A letter's shape: greeting, body and signature on lines of their own, with air between where there is room."""
    body = " ".join(part for part in parts if part not in {greeting, signature})
    lines = (greeting if greeting in parts else "", body, signature if signature in parts else "")
    return ("\n\n" if roomy else "\n").join(line for line in lines if line)


def _brand(tenant: str) -> str:
    return " ".join(word.capitalize() for word in tenant.split("-"))
