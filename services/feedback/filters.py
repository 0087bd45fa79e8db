"""What a caller narrows a question to, checked: a filter, a range of time, and the words that a token is bound to."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from google.protobuf.timestamp_pb2 import Timestamp

from ascolto.insights.v1 import insights_service_pb2 as pb
from chassis.api_errors import invalid_argument
from services.feedback.projection import Insight, hour_of
from services.feedback.vocabulary import CATEGORY_WORDS, primary_language

MAX_WORDS = 100
"""Of each list in a filter."""
_HOUR = timedelta(hours=1)
_LAST = datetime(9999, 12, 31, 22, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Filter:
    """An absent part lets everything pass."""

    categories: tuple[str, ...] | None = None
    networks: tuple[str, ...] | None = None
    languages: tuple[str, ...] | None = None
    triage: bool | None = None

    def passes(self, insight: Insight) -> bool:
        """Whether a watcher is told of `insight`; the same rule as the SQL of `store.log`."""
        return (
            (self.networks is None or insight.network is None or insight.network in self.networks)
            and _passes(self.categories, insight.category, insight.was_category)
            and _passes(self.languages, insight.language, insight.was_language)
            and _passes(None if self.triage is None else (self.triage,), insight.triage, insight.was_triage)
        )

    def words(self) -> list[str]:
        """The filter in words, each part behind its name, for the binding of a token."""
        parts = {"category": self.categories, "network": self.networks, "language": self.languages}
        lists = [word for name, words in parts.items() for word in (name, *(words or ()))]
        return [*lists, f"triage {self.triage}"]


@dataclass(frozen=True, slots=True)
class TimeRange:
    """From `start`, inclusive, to `end`, exclusive; None is no bound."""

    start: datetime | None = None
    end: datetime | None = None

    def whole_hours(self) -> "TimeRange":
        """The hours that lie in the range altogether; empty (start equals end) where there is none."""
        start = None if self.start is None else hour_of(self.start + _HOUR - timedelta(microseconds=1))
        end = None if self.end is None else hour_of(self.end)
        return TimeRange(start, max(start, end) if start and end else end)

    def edges(self) -> tuple["TimeRange", "TimeRange"]:
        """What is left of the range before and after its whole hours, each perhaps empty (start equals end)."""
        whole = self.whole_hours()
        if self.start is not None and self.end is not None and whole.start == whole.end:
            return TimeRange(self.start, self.end), TimeRange(self.end, self.end)
        return TimeRange(self.start, whole.start), TimeRange(whole.end, self.end)

    def words(self) -> list[str]:
        """The range in words, for the binding of a token."""
        return [f"start {self.start}", f"end {self.end}"]


def read_filter(given: pb.Filter) -> Filter:
    """Check a filter; the order of its lists and repeats in them mean nothing. Raises ApiError INVALID_ARGUMENT."""
    for name in ("categories", "networks", "languages"):
        if len(getattr(given, name)) > MAX_WORDS:
            raise invalid_argument(f"filter.{name}", f"holds more than {MAX_WORDS} values")
    unknown = [each for each in given.categories if each not in CATEGORY_WORDS]
    if unknown:
        raise invalid_argument("filter.categories", "holds a value that is no category")
    return Filter(
        categories=_sorted("categories", [CATEGORY_WORDS[each] for each in given.categories]),
        networks=_sorted("networks", given.networks),
        languages=_sorted("languages", [primary_language(each) if each else "" for each in given.languages]),
        triage=given.triage if given.HasField("triage") else None,
    )


def read_range(request: pb.QueryVolumesRequest | pb.ListPostsRequest) -> TimeRange:
    """Check the bounds of a request. Raises ApiError INVALID_ARGUMENT."""
    start = _time("start_time", request.start_time) if request.HasField("start_time") else None
    end = _time("end_time", request.end_time) if request.HasField("end_time") else None
    if start is not None and end is not None and start >= end:
        raise invalid_argument("end_time", "must be later than start_time, for it is exclusive")
    return TimeRange(start, end)


def _passes(wanted: tuple[object, ...] | None, now: object, was: object) -> bool:
    return wanted is None or now is None or now in wanted or was in wanted


def _sorted(name: str, words: Iterable[str]) -> tuple[str, ...] | None:
    distinct = sorted(set(words))
    if any(not word or "\x00" in word for word in distinct):
        raise invalid_argument(f"filter.{name}", "holds an empty value, or one with a NUL character")
    return tuple(distinct) or None


def _time(field: str, stamp: Timestamp) -> datetime:
    try:
        time = stamp.ToDatetime(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise invalid_argument(field, "is no time between the years 1 and 9999") from None
    if time > _LAST:
        raise invalid_argument(field, "is no time between the years 1 and 9999")
    return time
