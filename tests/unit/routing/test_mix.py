"""The mix of a stream: learnt from probabilities alone, and what judgements become by it."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from ascolto.classification.v1 import classification_pb2 as pb
from ascolto.posts.v1 import post_pb2 as posts
from services.routing.calibration import Floats
from services.routing.classifier import Cascade
from services.routing.decisions import classify_batch, mix_told
from services.routing.judgement import Category, Judgement, Mix, Stage, Text
from services.routing.mix import LEAST_POSTS, PLACES, Stream, digest, learnt, weigh
from services.routing.model.datasets import read_corpus
from services.routing.model.rows import held_out
from services.routing.streams import learn
from services.routing.venues import Venue
from tests.factories import make_event, make_post_received

CLASSIFIER = Cascade.load()
USUAL = np.array([0.2, 0.3, 0.2, 0.3])
EVERYWHERE = np.tile(USUAL, (len(PLACES), 1))
COMPLAINTS = Mix(0.05, 0.8, 0.1, 0.05)
shares = st.lists(st.floats(0.001, 1), min_size=4, max_size=4).map(lambda each: Mix(*(x / sum(each) for x in each)))


def stream(mix: Sequence[float], posts_of_it: int = 5_000, seed: int = 1) -> tuple[Floats, NDArray[np.int64]]:
    """What a calibrated classifier that expects USUAL says of posts that come in another mix; and what they are.

    A post shows one of 12 signs; how often each comes differs between the categories.
    """
    random = np.random.default_rng(seed)
    signs = random.dirichlet(np.full(12, 0.3), size=4)
    categories = random.choice(4, size=posts_of_it, p=mix)
    seen = np.array([random.choice(12, p=signs[category]) for category in categories])
    says = signs[:, seen].T * USUAL
    return says / says.sum(axis=1, keepdims=True), categories


@pytest.mark.parametrize("mix", [(0.05, 0.8, 0.1, 0.05), (0.6, 0.1, 0.2, 0.1), (0.1, 0.1, 0.1, 0.7)])
def test_the_mix_of_a_stream_is_learnt_without_labels(mix: tuple[float, ...]) -> None:
    says, _ = stream(mix)
    assert list(learnt(says, USUAL)) == pytest.approx(mix, abs=0.06)


def test_a_stream_that_is_as_expected_changes_nothing() -> None:
    says, _ = stream(USUAL.tolist())
    assert list(learnt(says, USUAL)) == pytest.approx(USUAL, abs=0.03)


def test_few_posts_do_not_show_that_a_category_never_comes() -> None:
    sure = np.tile([0.001, 0.997, 0.001, 0.001], (LEAST_POSTS, 1))
    assert learnt(sure, USUAL).question > 0.05
    assert learnt(np.tile(sure, (100, 1)), USUAL).question < 0.01


def test_weighed_by_its_mix_more_of_a_stream_is_right() -> None:
    says, categories = stream(COMPLAINTS)
    texts = [Text("", mix=learnt(says, USUAL))] * len(says)
    weighed = says.copy()
    weigh(weighed, texts, EVERYWHERE)
    right, right_before = ((each.argmax(axis=1) == categories).mean() for each in (weighed, says))
    assert right > right_before + 0.05


@given(shares, shares)
def test_probabilities_stay_probabilities(says: Mix, mix: Mix) -> None:
    weighed = np.array([says, says])
    weigh(weighed, [Text("", mix=mix), Text("")], EVERYWHERE)
    assert weighed.sum(axis=1) == pytest.approx(1)
    assert weighed[1].tolist() == list(says)


def test_what_is_expected_at_the_venue_and_the_trust_make_the_weight() -> None:
    usual = np.array([np.roll([0.1, 0.2, 0.3, 0.4], place) for place in range(len(PLACES))])
    says = np.array([[0.4, 0.3, 0.2, 0.1]] * len(PLACES))
    weighed = says.copy()
    weigh(weighed, [Text("", venue=place, mix=COMPLAINTS) for place in PLACES], usual)
    wanted = says * (np.array(COMPLAINTS) / usual) ** 0.7
    assert weighed == pytest.approx(wanted / wanted.sum(axis=1, keepdims=True))


@pytest.mark.parametrize("venue", [venue for venue in Venue if venue is not Venue.MAIL])
def test_a_stream_of_a_venues_own_posts_has_the_mix_that_is_usual_there(venue: Venue) -> None:
    held = [row.text for row in read_corpus() if row.category and held_out(row) and row.text.venue is venue]
    found = learn(CLASSIFIER, [replace(text, network="n") for text in held])[Stream("n", venue)].mix
    assert found is not None
    assert list(found) == pytest.approx(CLASSIFIER.usual(venue).tolist(), abs=0.03)


def test_one_set_of_mixes_is_told_from_another() -> None:
    one, other = Stream("x", Venue.CHAT), Stream("x")
    sets: list[dict[Stream, Mix]] = [{}, {one: COMPLAINTS}, {other: COMPLAINTS}, {one: Mix(0.1, 0.7, 0.1, 0.1)}]
    assert len(set(map(digest, sets))) == len(sets)
    both = {one: COMPLAINTS, other: COMPLAINTS}
    assert digest(both) == digest(dict(reversed(both.items())))


@given(shares)
def test_a_mix_as_it_is_expected_weighs_nothing(says: Mix) -> None:
    weighed = np.array([says])
    weigh(weighed, [Text("", mix=Mix(*USUAL))], EVERYWHERE)
    assert weighed[0].tolist() == pytest.approx(list(says))


def test_what_is_expected_differs_between_venues() -> None:
    assert CLASSIFIER.usual(Venue.CHAT)[0] > CLASSIFIER.usual(Venue.REVIEW)[0]
    for place in PLACES:
        assert CLASSIFIER.usual(place).sum() == pytest.approx(1)


def test_a_judgement_is_weighed_and_says_by_what() -> None:
    alone, weighed = CLASSIFIER.classify(
        [Text("ok", venue=Venue.REVIEW), Text("ok", venue=Venue.REVIEW, mix=COMPLAINTS)]
    )
    assert (alone.mix, weighed.mix) == (None, COMPLAINTS)
    assert weighed.probabilities[Category.COMPLAINT] > alone.probabilities[Category.COMPLAINT]
    assert weighed.probabilities[weighed.category] == max(weighed.probabilities.values())


def test_a_mix_weighs_no_other_text_of_a_batch() -> None:
    texts = [Text(f"where is parcel {number}", mix=COMPLAINTS if number % 3 else None) for number in range(70)]
    assert CLASSIFIER.classify(texts) == [CLASSIFIER.classify([text])[0] for text in texts]


def test_each_stream_is_learnt_by_itself_whatever_its_posts_are_said_to_be() -> None:
    asking = [Text(f"when do you open on day {day}?", None, "x", venue=Venue.MICROBLOG) for day in range(LEAST_POSTS)]
    angry = [
        Text(f"{day} days without internet, a disgrace", None, "x", venue=Venue.CHAT) for day in range(LEAST_POSTS)
    ]
    few = [Text("hello", None, "email", mix=COMPLAINTS)]
    found = learn(CLASSIFIER, [*asking, *angry, *few])
    questions, complaints = found[Stream("x", Venue.MICROBLOG)].mix, found[Stream("x", Venue.CHAT)].mix
    assert questions is not None
    assert complaints is not None
    assert (questions.question > 0.6, complaints.complaint > 0.5) == (True, True)
    assert found[Stream("email")] == (1, None)
    weighed = [Text(each.text, None, "x", venue=Venue.CHAT, mix=Mix(0.97, 0.01, 0.01, 0.01)) for each in angry]
    assert learn(CLASSIFIER, weighed)[Stream("x", Venue.CHAT)].mix == complaints


EVENT = make_event(make_post_received())


def classified(mix: Mix | None) -> tuple[pb.PostClassified, str]:
    def mix_of(post: posts.Post, where: Stream) -> Mix | None:
        return mix if where == Stream(post.network, Venue.MICROBLOG) else None

    [made] = classify_batch(CLASSIFIER, [EVENT], mix_of=mix_of)  # type: ignore[list-item] # a PostReceived
    return pb.PostClassified.FromString(made.value or b""), dict(made.headers)["ce_id"].decode()


def test_a_post_is_classified_by_the_mix_of_its_stream_and_tells_it() -> None:
    message, _ = classified(COMPLAINTS)
    assert [each.probability for each in message.classification.mix] == pytest.approx(list(COMPLAINTS))
    assert not classified(None)[0].classification.mix


@pytest.mark.parametrize("stage", [Stage.ENCODER, Stage.LANGUAGE_MODEL])
def test_mixes_that_hardly_differ_are_other_decisions_of_any_stage(stage: Stage) -> None:
    class Decided:
        model = "models/decided"

        def classify(self, texts: Sequence[Text]) -> list[Judgement]:
            return [replace(each, stage=stage) for each in CLASSIFIER.classify(texts)]

    mixes = [Mix(0.12501, 0.24999, 0.3, 0.325), Mix(0.12504, 0.24996, 0.3, 0.325)]
    made = [classify_batch(Decided(), [EVENT], mix_of=lambda *_, mix=mix: mix)[0] for mix in (*mixes, mixes[0])]  # type: ignore[list-item] # a PostReceived
    first, second, again = (dict(each.headers)["ce_id"] for each in made)
    assert (first == again, first == second) == (True, False)


def test_a_mix_of_which_a_part_is_missing_is_none() -> None:
    told = pb.Classification(mix=[pb.CategoryProbability(category=pb.CATEGORY_OTHER, probability=1.0)])
    assert mix_told(told) is None


def test_another_mix_is_another_decision_and_the_same_one_is_the_same() -> None:
    ids = [classified(mix)[1] for mix in (None, COMPLAINTS, COMPLAINTS, Mix(0.1, 0.7, 0.1, 0.1))]
    assert (ids[1] == ids[2], len(set(ids))) == (True, 3)
