"""Trains the teacher and writes down what it makes of the corpus and of variations of it, for `train` to learn from.

The weights that stand have their say too. Two hours on one core, and more on a busy one.

python -m services.routing.model.teach --data DIR
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from services.routing.calibration import softmax
from services.routing.classifier import WEIGHTS_PATH
from services.routing.judgement import Text
from services.routing.model.checkpoint import read, shipped
from services.routing.model.committee import agreed
from services.routing.model.datasets import SHIP_SETS, Row, read_corpus, read_set
from services.routing.model.learning import targets_of
from services.routing.model.rows import few, held_out, learnt, row_weights, varied, wordings
from services.routing.model.taught import TAUGHT_PATH, Taught
from services.routing.model.teacher import EPOCHS, Teacher
from services.routing.model.variations import variations
from services.routing.outputs import CATEGORIES, KINDS, of_categories
from services.routing.weights import Weights

ROUNDS = ((0, 2), (11, 6))
"""Of variations: the seed of each, and how many of each row. One more round leaves those before as they are."""
MOST_OF_A_SET = 600


def main() -> None:
    """Trains or reads a teacher, says how good it is, and writes what it teaches."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="directory of the public sets (*.jsonl)")
    parser.add_argument("--teacher", type=Path, help="where its weights are kept: read if there, else written")
    parser.add_argument("--output", type=Path, default=TAUGHT_PATH)
    arguments = parser.parse_args()
    teacher, weights = Teacher(read(shipped())), Weights.load(WEIGHTS_PATH)
    if arguments.teacher and arguments.teacher.exists():
        teacher.load(arguments.teacher)
    else:
        _train(teacher, arguments.data)
        if arguments.teacher:
            teacher.save(arguments.teacher)
    corpus = read_corpus()
    _tell(teacher, weights, [row for row in corpus if row.category and held_out(row)])
    rows = learnt([row for row in corpus if row.category])
    texts = [varied(row, EPOCHS).text for row in rows]
    for seed, each in ROUNDS:
        texts += variations(rows, each, seed)
    texts = new(texts, corpus)
    Taught.of(texts, agreed(teacher.scores(texts), texts, weights)).save(arguments.output)
    print(f"{len(texts)} texts, {arguments.output.stat().st_size / 1e6:.2f} MB in {arguments.output}")  # noqa: T201


def new(texts: Sequence[Text], corpus: Sequence[Row]) -> list[Text]:
    """Each text once, and none that is held out, however it is written."""
    kept = {_folded(row.text.text) for row in corpus if held_out(row)}
    return [text for text in dict.fromkeys(texts) if _folded(text.text) not in kept]


def _folded(text: str) -> str:
    return "".join(filter(str.isalnum, text.casefold())) or text


def _train(teacher: Teacher, data: Path) -> None:
    public = [row for name in SHIP_SETS for row in read_set(data, name, "train")]
    rows = few(learnt(public + read_corpus()), MOST_OF_A_SET)
    teacher.train(wordings(rows, EPOCHS), targets_of(rows, row_weights(rows)))


def _tell(teacher: Teacher, weights: Weights, rows: Sequence[Row]) -> None:
    """Prints how often the teacher is right about rows that it has not learnt from, and how often all are together."""
    texts = [row.text for row in rows]
    alone = teacher.scores(texts)
    for name, scores in (("the teacher", alone), ("with the weights that stand", agreed(alone, texts, weights))):
        right = of_categories(softmax(scores[:, : len(KINDS)].astype(np.float64))).argmax(axis=1)
        truth = [CATEGORIES.index(row.category) for row in rows if row.category]
        print(f"{name}: right about {(right == truth).mean():.1%} of held-out rows", flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
