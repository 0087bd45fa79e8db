"""Reads the documentation as it stands: pages, tables, code and links of Markdown files."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from cli.project import PROJECT

DOCS: Final = PROJECT / "docs"
PAGES: Final = (PROJECT / "README.md", PROJECT / "CONTRIBUTING.md", *sorted(DOCS.rglob("*.md")))

_FENCE: Final = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_SPAN: Final = re.compile(r"`([^`\n]+)`")
_LINK: Final = re.compile(r"\[[^\]]+\]\(([^)\s]+)\)")
_HEADING: Final = re.compile(r"^(#+) (.+)$", re.MULTILINE)


def page_id(page: Path) -> str:
    """A page as tests name it."""
    return str(page.relative_to(PROJECT))


def blocks(text: str, language: str = "") -> list[str]:
    """The code blocks of a page, those of one language or all."""
    return [code for found, code in _FENCE.findall(text) if language in {"", found}]


def prose(text: str) -> str:
    """A page without its code blocks."""
    return _FENCE.sub("", text)


def spans(text: str) -> list[str]:
    """The code within the lines of a page."""
    return _SPAN.findall(prose(text))


def links(text: str) -> Iterator[str]:
    """The targets of a page's links that lead to other files or headings of the project."""
    return (target for target in _LINK.findall(_SPAN.sub("", prose(text))) if "://" not in target)


def anchors(text: str) -> set[str]:
    """The headings of a page as GitHub links to them."""
    plain = (re.sub(r"[^\w\- ]", "", heading.lower()) for _, heading in _HEADING.findall(prose(text)))
    return {heading.replace(" ", "-") for heading in plain}


def section(text: str, heading: str) -> str:
    """What stands under a heading, up to the next one of its rank or a higher one."""
    headings = list(_HEADING.finditer(text))
    at = next(number for number, found in enumerate(headings) if found[2] == heading)
    rank = len(headings[at][1])
    end = next((found.start() for found in headings[at + 1 :] if len(found[1]) <= rank), len(text))
    return text[headings[at].end() : end]


def rows(text: str) -> list[list[str]]:
    """The cells of all tables in a part of a page, without their heads."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    heads = {number - 1 for number, row in enumerate(cells) if set("".join(row)) <= set("-: ")}
    return [row for number, row in enumerate(cells) if number not in heads and number - 1 not in heads]


def first_codes(text: str) -> list[str]:
    """The code in the first cell of each row of the tables in a part of a page."""
    return [code for row in rows(text) for code in spans(row[0])]
