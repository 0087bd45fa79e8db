"""Classifies in this process and prints what it took: started by the suite."""

import argparse
import json
from dataclasses import asdict, dataclass
from typing import Self

import psutil

from bench.classifier.stages import Stages, classifier
from bench.measurement import Measurement, Stopwatch
from bench.sayings import saying
from services.routing.judgement import Stage, Text

BATCH_POSTS = 500


@dataclass(frozen=True, slots=True)
class Classified:
    """What one contestant did, and its resident memory after it."""

    measurement: Measurement
    encoded: float
    """Share of the posts that passed the encoder."""
    resident_bytes: int

    @classmethod
    def from_json(cls, line: str) -> Self:
        """Read the line of a contestant."""
        row = json.loads(line)
        return cls(Measurement(**row.pop("measurement")), **row)


def main() -> None:
    """Read the task from the command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("stages", choices=list(Stages))
    parser.add_argument("posts", type=int)
    given = parser.parse_args()
    print(json.dumps(asdict(classified(Stages(given.stages), given.posts))))


def classified(stages: Stages, posts: int) -> Classified:
    """Judge so many posts, in batches as the service has them."""
    cascade = classifier(stages)
    texts = [_text(number) for number in range(posts)]
    cascade.classify(texts[:BATCH_POSTS])
    watch, encoded = Stopwatch(), 0
    watch.begin()
    for start in range(0, posts, BATCH_POSTS):
        judgements = cascade.classify(texts[start : start + BATCH_POSTS])
        encoded += sum(judgement.stage is Stage.ENCODER for judgement in judgements)
    return Classified(watch.end(posts), encoded / posts, psutil.Process().memory_info().rss)


def _text(number: int) -> Text:
    said = saying(number)
    return Text(said.text, language=said.language, venue=said.venue)


if __name__ == "__main__":
    main()
