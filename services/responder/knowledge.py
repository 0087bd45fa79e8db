"""The knowledge base: Markdown articles with TOML front matter, and the best one for what somebody wrote (BM25)."""

import hashlib
import math
import tomllib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from services.responder.words import terms

_FENCE: Final = "+++"
_K1: Final = 1.2
_B: Final = 0.75
_HEAD_WEIGHT: Final = 3
"""A term of the title or of the keywords counts as often as this in the text: editors chose those words."""
_BODY_FACTOR: Final = 0.35
"""What a term is worth that stands in the text alone: alone it says little about what an article is for."""
FLOOR: Final = 3.0
"""The score below which an article is beside the point; found on the sample conversations."""


class KnowledgeError(Exception):
    """An article cannot be read; the message names the file and what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Article:
    """One article in one language."""

    id: str
    title: str
    language: str
    keywords: tuple[str, ...]
    paragraphs: tuple[str, ...]
    content_sha256: str


@dataclass(frozen=True, slots=True)
class Found:
    """An article that fits, its paragraphs in the order in which they fit."""

    article: Article
    score: float
    paragraphs: tuple[str, ...]


def load_articles(directory: Path) -> tuple[Article, ...]:
    """Read every `*.md` of the directory; raises `KnowledgeError`."""
    if not directory.is_dir():
        raise KnowledgeError(f"{directory}: is no directory; KNOWLEDGE_DIR says where the articles are")
    articles = tuple(_read(path) for path in sorted(directory.glob("*.md")))
    names = Counter((article.id, article.language) for article in articles)
    twice = [f"{name}.{language}" for (name, language), count in names.items() if count > 1]
    if twice:
        raise KnowledgeError(f"{directory}: articles with the same id and language: {', '.join(twice)}")
    return articles


def parse_article(text: str, where: str) -> Article:
    """Read one article; `where` names it in the error."""
    opening, _, rest = text.partition("\n")
    front, fence, body = rest.partition(f"\n{_FENCE}\n")
    if opening.strip() != _FENCE or not fence:
        raise KnowledgeError(f"{where}: does not begin with front matter between {_FENCE} lines")
    try:
        fields = tomllib.loads(front)
    except tomllib.TOMLDecodeError as error:
        raise KnowledgeError(f"{where}: the front matter is no TOML: {error}") from error
    paragraphs = tuple(" ".join(part.split()) for part in body.split("\n\n") if part.strip())
    if not paragraphs:
        raise KnowledgeError(f"{where}: has no text under its front matter")
    return Article(
        id=_field(fields, "id", str, where),
        title=_field(fields, "title", str, where),
        language=_field(fields, "language", str, where),
        keywords=tuple(str(each) for each in _field(fields, "keywords", list, where)),
        paragraphs=paragraphs,
        content_sha256=hashlib.sha256(text.encode()).hexdigest(),
    )


def _read(path: Path) -> Article:
    try:
        return parse_article(path.read_text(encoding="utf-8"), str(path))
    except (OSError, UnicodeDecodeError) as error:
        raise KnowledgeError(f"{path}: cannot be read as UTF-8 text: {error}") from error


def _field(fields: Mapping[str, Any], name: str, kind: type, where: str) -> Any:  # noqa: ANN401 - as `kind` says
    value = fields.get(name)
    if not isinstance(value, kind) or not value:
        raise KnowledgeError(f"{where}: {name} is missing or is not {kind.__name__}")
    return value


class Library:
    """Finds the article of one language that fits a text best."""

    def __init__(self, articles: Iterable[Article], stopwords: frozenset[str] = frozenset()) -> None:
        self._stopwords = stopwords
        self._articles = tuple(articles)
        self._counts = [self._count(article) for article in self._articles]
        self._heads = [frozenset(self._terms(_head(article))) for article in self._articles]
        self._paragraphs = {
            paragraph: frozenset(self._terms(paragraph))
            for article in self._articles
            for paragraph in article.paragraphs
        }
        documents = len(self._articles)
        self._mean_length = sum(counts.total() for counts in self._counts) / max(1, documents)
        frequencies = Counter(term for counts in self._counts for term in counts)
        self._weights = {
            term: math.log(1 + (documents - frequency + 0.5) / (frequency + 0.5))
            for term, frequency in frequencies.items()
        }

    def find(self, text: str, floor: float = FLOOR) -> Found | None:
        """The best article for `text`; None where no article scores above `floor` or shares a word of its head."""
        query = set(self._terms(text))
        scored = [
            (self._score(query, counts, self._heads[at]), -at)
            for at, counts in enumerate(self._counts)
            if query & self._heads[at]
        ]
        score, at = max(scored, default=(-math.inf, 0))
        if score < floor:
            return None
        article = self._articles[-at]
        return Found(article, score, self._by_fit(article, query))

    def _score(self, query: set[str], counts: Counter[str], head: frozenset[str]) -> float:
        norm = _K1 * (1 - _B + _B * counts.total() / self._mean_length)

        def worth(term: str) -> float:
            weight = self._weights[term] if term in head else self._weights[term] * _BODY_FACTOR
            return weight * counts[term] * (_K1 + 1) / (counts[term] + norm)

        return sum(worth(term) for term in query if term in counts)

    def _by_fit(self, article: Article, query: set[str]) -> tuple[str, ...]:
        """The first paragraph holds the answer by the rules of the house; the others follow by what was asked."""
        first, *others = article.paragraphs

        def fits(paragraph: str) -> float:
            return sum(self._weights.get(term, 0.0) for term in query & self._paragraphs[paragraph])

        return (first, *sorted((each for each in others if fits(each) > 0), key=fits, reverse=True))

    def _count(self, article: Article) -> Counter[str]:
        counts = Counter(self._terms(" ".join(article.paragraphs)))
        for term in self._terms(_head(article)):
            counts[term] += _HEAD_WEIGHT
        return counts

    def _terms(self, text: str) -> list[str]:
        return terms(text, self._stopwords)


def _head(article: Article) -> str:
    return " ".join((article.title, *article.keywords))
