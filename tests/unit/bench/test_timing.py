"""What a post waited for, from whose point of view."""

from bench.latency.timing import Timing


def _timing() -> Timing:
    return Timing(
        due_at={"a": 10.0, "b": 11.0, "c": 12.0},
        accepted_at={"a": 10.5, "b": 11.25, "c": 12.0},
        drafted_at={"a": 12.5, "of the warm-up": 9.0},
        decided={"a", "b"},
    )


def test_acceptance_counts_from_when_a_post_was_due() -> None:
    assert sorted(_timing().accepted_ms) == [0.0, 250.0, 500.0]


def test_a_draft_counts_from_the_acceptance_and_only_of_posts_of_the_load() -> None:
    assert _timing().drafted_ms == [2_000.0]


def test_a_post_without_draft_or_decision_is_told() -> None:
    assert _timing().unanswered == 1


def test_the_rate_is_what_was_accepted() -> None:
    assert _timing().posts_per_second == 1.5
