"""A batch's judgements after a language model was asked: the same for whoever asks again, and no new way to fail."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from contracts.codec import Event
from services.routing.decisions import classify_batch, no_mix
from services.routing.facts import outline_of
from services.routing.judgement import Category, Judgement, Kind, Mix, Stage, Text
from services.routing.language_model.reconsidering import reconsider, reconsidering
from tests.factories import make_event, make_post_classified, make_post_received

UNSURE = Judgement(
    category=Category.OTHER,
    abstained=True,
    probabilities={Category.OTHER: 1.0},
    language=None,
    reasons=(),
    model="models/fast",
    kind=Kind.CHATTER,
    sentiment=3,
)
SORTED = replace(UNSURE, abstained=False, stage=Stage.LANGUAGE_MODEL, model="models/large")


class Fast:
    """Is unsure of everything, fails on "poison", and counts what it was asked."""

    model = "models/fast"

    def __init__(self) -> None:
        self.asked: list[str] = []

    def classify(self, texts: Sequence[Text]) -> list[Judgement]:
        self.asked += [text.text for text in texts]
        if any(text.text == "poison" for text in texts):
            raise ValueError
        return [UNSURE for _ in texts]


class Large:
    """Knows everything, and says it of every text."""

    def __init__(self, judgement: Judgement = SORTED) -> None:
        self.judgement = judgement

    async def ask(self, texts: Sequence[Text], judgements: Sequence[Judgement]) -> list[Judgement]:
        assert len(texts) == len(judgements)
        return [self.judgement for _ in texts]


async def test_what_was_reconsidered_is_not_classified_again() -> None:
    fast = Fast()
    classifier = await reconsider(fast, Large(), [Text("a"), Text("b")])
    assert classifier.classify([Text("b"), Text("a"), Text("b")]) == [SORTED] * 3
    assert fast.asked == ["a", "b"]


async def test_another_text_is_the_classifiers() -> None:
    classifier = await reconsider(Fast(), Large(), [Text("a")])
    assert classifier.classify([Text("a"), Text("a", reply=True)]) == [SORTED, UNSURE]
    assert classifier.model == "models/fast"


async def test_a_text_that_cannot_be_classified_is_left_for_the_pipe_to_find() -> None:
    classifier = await reconsider(Fast(), Large(), [Text("a"), Text("poison")])
    assert classifier.classify([Text("a")]) == [UNSURE]
    with pytest.raises(ValueError):  # noqa: PT011 - the fake's own
        classifier.classify([Text("poison")])


async def test_without_texts_nothing_is_asked() -> None:
    fast = Fast()
    assert await reconsider(fast, Large(), []) is fast


async def test_another_answer_about_the_same_post_is_another_event() -> None:
    message = make_post_received(native_id="p")
    praise = replace(SORTED, category=Category.FEEDBACK, kind=Kind.PRAISE)

    async def event_id(answer: Judgement) -> bytes:
        classifier = await reconsidering(Fast(), Large(answer))([message], no_mix)
        [outgoing] = classify_batch(classifier, [Event(make_event(message).metadata, message)])
        return dict(outgoing.headers)["ce_id"]

    assert await event_id(SORTED) == await event_id(SORTED)
    assert len({await event_id(SORTED), await event_id(praise), await event_id(UNSURE)}) == 3


def test_what_a_language_model_said_of_a_post_is_not_kept_in_its_history() -> None:
    message = make_post_classified()
    message.classification.reasons.append("model: the author quotes themselves")
    assert b"quotes" not in outline_of(message)


async def test_the_mix_of_a_stream_is_no_other_text_when_it_is_classified() -> None:
    fast, event = Fast(), make_event(make_post_received())
    mix = Mix(0.1, 0.7, 0.1, 0.1)
    classifier = await reconsidering(fast, Large())([event.message], lambda *_: mix)  # type: ignore[list-item] # as above
    classify_batch(classifier, [event], mix_of=lambda *_: mix)  # type: ignore[list-item] # as above
    assert len(fast.asked) == 1
