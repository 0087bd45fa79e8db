"""Makes the shipped weights from the ship sets, the project's own corpus and its lessons, the same ones every time.

python -m services.routing.model.train [--data DIR] [--labels FILE] [--output FILE]
"""

import argparse
import tomllib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from services.routing.calibration import Floats
from services.routing.classifier import WEIGHTS_PATH, Cascade
from services.routing.encoder import Encoder
from services.routing.features import extract
from services.routing.lexicon import Lexicon
from services.routing.linear import Linear
from services.routing.mix import PLACES
from services.routing.model.calibrating import HeldOut, calibrate
from services.routing.model.datasets import SHIP_SETS, Row, read_corpus, read_labels, read_set
from services.routing.model.encoder_training import EPOCHS, train_encoder
from services.routing.model.language_training import train_languages
from services.routing.model.learning import targets_of
from services.routing.model.linear_training import train_linear
from services.routing.model.rows import held_out, learnt, row_weights, varied, wordings
from services.routing.model.taught import Taught
from services.routing.outputs import CATEGORIES, KINDS
from services.routing.streams import probabilities
from services.routing.venues import Venue
from services.routing.weights import Weights

LABEL_WEIGHT = 2.0
"""Of what a person said of a text, beside what the committee makes of one, where the encoder learns from both."""

LEXICON_PATH = Path(__file__).parent / "lexicon.toml"


def main() -> None:
    """Trains and writes the weights; prints what they are."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, help="folder of the public sets; without it, none of them")
    parser.add_argument("--output", type=Path, help="where to write them; else the weights that ship are replaced")
    parser.add_argument("--labels", type=Path, help="what people said of posts, from `ascolto triage export`")
    arguments = parser.parse_args()
    if not arguments.output:
        if arguments.labels or not arguments.data:
            parser.error("--output is needed, but for what ships: that learns from the public sets and from no labels")
        arguments.output = WEIGHTS_PATH
    public = SHIP_SETS if arguments.data else ()
    rows = [row for name in public for row in read_set(arguments.data, name, "train")]
    labelled = read_labels(arguments.labels) if arguments.labels else []
    weights = train(rows + read_corpus() + labelled, Taught.load())
    weights.save(arguments.output)
    print(f"{weights.model}: {arguments.output.stat().st_size / 1e6:.2f} MB in {arguments.output}")  # noqa: T201


def train(rows: Sequence[Row], taught: Taught, *, epochs: int = EPOCHS) -> Weights:
    """Weights from rows of any sets that may be trained on, and from what a committee makes of more texts.

    BLAS keeps to one thread from here on: with more, sums round otherwise.
    """
    threadpool_limits(1, user_api="blas")
    lexicon = compile_lexicon()
    own, kept = learnt(rows), [row for row in rows if row.category and held_out(row)]
    counts = row_weights(own)
    targets = targets_of(own, LABEL_WEIGHT * counts) + taught.targets()
    fields: dict[str, Any] = train_linear([varied(row) for row in own], counts, lexicon, taught)
    fields |= train_languages(rows, lexicon) | uncalibrated()
    weights = Weights(
        **fields,
        lexicon_keys=lexicon.keys,
        lexicon_classes=lexicon.classes,
        encoder=train_encoder([[*wording, *taught.texts] for wording in wordings(own, epochs)], targets),
    )
    calibrated = replaced(weights, calibrate(judged(weights, kept, lexicon)))
    return replaced(calibrated, {"usual": usual(Cascade(calibrated), kept)})


def uncalibrated() -> dict[str, Floats]:
    """What stands in the weights until `calibrate` has chosen."""
    each = np.ones(len(CATEGORIES))
    blend, sharpness = np.array([0.5, 0.5]), np.ones(1)
    bias = thresholds = each * 0
    usual = np.full((len(PLACES), len(CATEGORIES)), 1 / len(CATEGORIES))
    return {
        "sharpness": sharpness,
        "certain": each,
        "blend": blend,
        "category_bias": bias,
        "thresholds": thresholds,
        "usual": usual,
    }


def replaced(weights: Weights, fields: dict[str, Floats]) -> Weights:
    """The same weights with other fields."""
    return Weights(**(vars(weights) | fields))


def judged(weights: Weights, rows: Sequence[Row], lexicon: Lexicon) -> HeldOut:
    """What both stages make of rows that they were not trained on."""
    texts = [varied(row).text for row in rows]
    linear = Linear(weights).scores(extract(texts, lexicon), len(texts))
    return HeldOut(
        linear=linear.kinds,
        encoded=Encoder(weights.encoder).scores(texts)[:, : len(KINDS)],
        truth=np.array([CATEGORIES.index(row.category) for row in rows if row.category]),
        weights=row_weights(rows),
        mixed=np.array([row.is_corpus for row in rows]),
    )


def usual(classifier: Cascade, rows: Sequence[Row]) -> Floats:
    """What the classifier makes of rows of the corpus at each venue, in the mean; and of all, where none is told."""
    texts = [row.text for row in rows if row.is_corpus]
    somewhere = [replace(text, venue=None) for text in texts]
    found = [[text for text in texts if text.venue is venue] or somewhere for venue in Venue]
    return np.stack([probabilities(classifier, each).mean(axis=0) for each in (*found, somewhere)])


def compile_lexicon() -> Lexicon:
    """The project's word classes, all languages together."""
    tables = tomllib.loads(LEXICON_PATH.read_text(encoding="utf-8"))
    return Lexicon.compile({name: " ".join(table.values()).split() for name, table in tables.items()})


if __name__ == "__main__":
    main()
