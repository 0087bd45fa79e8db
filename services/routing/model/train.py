"""Makes the shipped weights from the ship sets and the project's own corpus, the same ones every time.

python -m services.routing.model.train --data DIR
"""

import argparse
import tomllib
from collections.abc import Sequence
from pathlib import Path

from services.routing.classifier import WEIGHTS_PATH
from services.routing.lexicon import Lexicon
from services.routing.model.category_training import train_categories
from services.routing.model.datasets import SHIP_SETS, Row, read_corpus, read_set
from services.routing.model.language_training import train_languages
from services.routing.weights import Weights

LEXICON_PATH = Path(__file__).parent / "lexicon.toml"


def main() -> None:
    """Trains and writes the weights; prints what they are."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="directory of the public sets (*.jsonl)")
    parser.add_argument("--output", type=Path, default=WEIGHTS_PATH)
    arguments = parser.parse_args()
    rows = [row for name in SHIP_SETS for row in read_set(arguments.data, name, "train")]
    weights = train(rows + read_corpus())
    weights.save(arguments.output)
    print(f"{weights.model}: {arguments.output.stat().st_size / 1e6:.2f} MB in {arguments.output}")  # noqa: T201


def train(rows: Sequence[Row]) -> Weights:
    """Weights from rows of any sets that may be trained on."""
    lexicon = compile_lexicon()
    return Weights(
        **train_categories(rows, lexicon),
        **train_languages(rows, lexicon),
        lexicon_keys=lexicon.keys,
        lexicon_classes=lexicon.classes,
    )


def compile_lexicon() -> Lexicon:
    """The project's word classes, all languages together."""
    tables = tomllib.loads(LEXICON_PATH.read_text(encoding="utf-8"))
    return Lexicon.compile({name: " ".join(table.values()).split() for name, table in tables.items()})


if __name__ == "__main__":
    main()
