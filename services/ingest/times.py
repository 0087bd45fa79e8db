"""Times of sources, which may lie at the very ends of the calendar, where a conversion to UTC overflows."""

from datetime import UTC, datetime, timedelta
from typing import Final

from google.protobuf.timestamp_pb2 import Timestamp

OUT_OF_RANGE: Final = "the time lies outside the years 1 to 9999 of UTC"

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_YEARS_1_TO_9999: Final = range(-62_135_596_800, 253_402_300_800)
_SECOND: Final = timedelta(seconds=1)


def is_representable(time: datetime) -> bool:
    """Tell whether `utc` can be asked of it."""
    return _seconds(time) in _YEARS_1_TO_9999


def utc(time: datetime) -> datetime:
    """The same moment in UTC."""
    return _EPOCH + (time - _EPOCH)


def timestamp(time: datetime) -> Timestamp:
    """The same moment as protobuf writes it."""
    return Timestamp(seconds=_seconds(time), nanos=time.microsecond * 1000)


def _seconds(time: datetime) -> int:
    return (time - _EPOCH) // _SECOND
