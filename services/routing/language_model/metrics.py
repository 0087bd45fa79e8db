"""What stage 3 measures: what became of each post that it might have been asked about, and how long calls took."""

import enum

from opentelemetry import metrics

OUTCOME = "ascolto.outcome"
"""Attribute: a word of `Outcome`."""


class Outcome(enum.StrEnum):
    """What became of a post that the other stages were unsure of. All but the first leave it to a person."""

    ANSWERED = "answered"
    UNSURE = "unsure"
    """The language model said that it is not sure enough."""
    INVALID = "invalid"
    """It answered in another form than it was asked for."""
    REFUSED = "refused"
    """It did not want this post: 400, 413, 422 and their kind."""
    RATE_LIMITED = "rate_limited"
    TIMEOUT = "timeout"
    UNAVAILABLE = "unavailable"
    """Not reached, or it answered with a failure of its own or of its configuration."""
    PAUSED = "paused"
    """Not asked, after failures in a row."""
    OVER_BUDGET = "over_budget"
    """Not asked: the calls of the minute are used up."""
    TOO_LATE = "too_late"
    """The batch could not wait any longer."""


_meter = metrics.get_meter("services.routing.language_model")
_posts = _meter.create_counter(
    "ascolto.routing.language_model.posts",
    unit="{post}",
    description="Posts that the classifier was unsure of, by what the language model made of them",
)
_calls = _meter.create_histogram(
    "ascolto.routing.language_model.call.duration", unit="s", description="How long calls took, by their outcome"
)


def settled(outcome: Outcome, posts: int) -> None:
    """Count posts."""
    _posts.add(posts, {OUTCOME: outcome.value})


def called(outcome: Outcome, seconds: float) -> None:
    """Note one call."""
    _calls.record(seconds, {OUTCOME: outcome.value})
