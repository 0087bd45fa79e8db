"""Log lines: facts in snake_case with ids, JSON off a terminal, one canonical line per unit of work."""

import logging
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import structlog
from opentelemetry import trace
from structlog.typing import EventDict, FilteringBoundLogger, Processor, WrappedLogger

from chassis.errors import Crash, NeverRetry
from chassis.settings import ProcessSettings

_TELLING = (Crash, NeverRetry, OSError)
"""Errors whose message is known to hold no text of people; of any other the log gets class and place only."""

_LIBRARIES = (
    "aiokafka",
    "faststream",
    "uvicorn",
    "httpx",
    "httpcore",
    "websockets",
    "grpc",
    "asyncio",
    "opentelemetry",
)


class Line:
    """The canonical line of a unit of work while the work goes on."""

    def __init__(self, ids: dict[str, object]) -> None:
        self.values = ids

    def bind(self, **values: object) -> None:
        """Add ids, counts or outcomes to the line; never text, handles or addresses."""
        self.values.update(values)


@contextmanager
def canonical(logger: FilteringBoundLogger, event: str, **ids: object) -> Iterator[Line]:
    """Log `event` once, when the block ends, with duration_ms and outcome; what the block raises passes through."""
    line = Line({"outcome": "done", **ids})
    started = time.perf_counter()
    try:
        yield line
    except BaseException as error:
        line.bind(outcome=_outcome(error), error_class=type(error).__name__)
        logger.warning(event, **line.values, duration_ms=_ms_since(started))
        raise
    logger.info(event, **line.values, duration_ms=_ms_since(started))


def configure(settings: ProcessSettings, *, service: str) -> None:
    """Send every log line of this process, ours and the libraries', to stderr in one format."""
    console = settings.log_format == "console" or (settings.log_format == "auto" and sys.stderr.isatty())
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _add(service=service),
        _add_trace,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(settings.log_level),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=_rendering(console=console))
    )
    logging.basicConfig(handlers=[handler], level=settings.log_level, force=True)
    _quieten_libraries()


def safe_exception(_: WrappedLogger, __: str, event_dict: EventDict) -> EventDict:
    """Replace `exc_info` by the class, the place, and the message only where it cannot hold people's text."""
    error = _exception(event_dict.pop("exc_info", None))
    if error is not None:
        event_dict["error_class"] = type(error).__name__
        event_dict["error_at"] = _frames(error)
        if isinstance(error, _TELLING):
            event_dict["error"] = str(error)
    return event_dict


def _rendering(*, console: bool) -> list[Processor]:
    clean = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    if console:
        return [clean, safe_exception, structlog.dev.ConsoleRenderer()]
    return [clean, safe_exception, structlog.processors.JSONRenderer(default=str)]


def _quieten_libraries() -> None:
    """Libraries speak up when something is wrong: what they do all day, our own lines say better."""
    for name in _LIBRARIES:
        logging.getLogger(name).setLevel(logging.WARNING)


def _add(**values: str) -> Processor:
    def add(_: WrappedLogger, __: str, event_dict: EventDict) -> EventDict:
        return {**values, **event_dict}

    return add


def _add_trace(_: WrappedLogger, __: str, event_dict: EventDict) -> EventDict:
    context = trace.get_current_span().get_span_context()
    if context.is_valid:
        event_dict["trace_id"] = trace.format_trace_id(context.trace_id)
        event_dict["span_id"] = trace.format_span_id(context.span_id)
    return event_dict


def _exception(exc_info: object) -> BaseException | None:
    """Find the exception in any of the shapes that logging allows."""
    if isinstance(exc_info, tuple):
        exc_info = exc_info[1]
    if isinstance(exc_info, BaseException):
        return exc_info
    return sys.exc_info()[1] if exc_info else None


def _frames(error: BaseException) -> list[str]:
    frames, traceback = [], error.__traceback__
    while traceback is not None:
        code = traceback.tb_frame.f_code
        frames.append(f"{code.co_filename}:{traceback.tb_lineno} {code.co_qualname}")
        traceback = traceback.tb_next
    return frames


def _outcome(error: BaseException) -> str:
    return "failed" if isinstance(error, Exception) else "cancelled"


def _ms_since(started: float) -> float:
    return round((time.perf_counter() - started) * 1000, 3)
