"""The pages of docs/ that are rendered from the code: `python -m cli.pages` writes them anew."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from cli import networks_page, settings_page
from cli.project import PROJECT
from contracts import catalogue

PAGES: Final[Mapping[Path, Callable[[], str]]] = {
    PROJECT / "docs" / "topics.md": catalogue.render,
    PROJECT / "docs" / "settings.md": settings_page.render,
    PROJECT / "docs" / "networks.md": networks_page.render,
}


def main() -> None:
    """Write every page."""
    for path, render in PAGES.items():
        path.write_text(render(), encoding="utf-8")


if __name__ == "__main__":
    main()
