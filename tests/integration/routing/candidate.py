"""`ascolto` with a candidate that says of each post what its text tells it to: `python candidate.py reclassify ...`."""

from collections.abc import Sequence
from typing import Final

from cli import weights
from cli.app import main
from services.routing.judgement import Category, Judgement, Kind, Text

MODEL: Final = "models/told@2"


class Told:
    """Reads its answer off the text: a category, a kind, and whether to abstain."""

    model = MODEL

    def classify(self, texts: Sequence[Text]) -> list[Judgement]:
        return [self._judge(*text.text.split()[:3]) for text in texts]

    def _judge(self, category: str, kind: str, decision: str) -> Judgement:
        return Judgement(
            category=Category(category),
            abstained=decision == "abstained",
            probabilities={each: 0.85 if each == category else 0.05 for each in Category},
            language="en",
            reasons=("word:told",),
            model=self.model,
            kind=Kind(kind),
            sentiment=3,
        )


if __name__ == "__main__":
    weights.load_classifier = lambda model: Told()  # type: ignore[assignment, return-value]  # noqa: ARG005 - a fake
    main()
