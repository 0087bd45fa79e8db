"""Tells whoever started this process on which ports it listens: in the log, and in READY_FILE where that is set."""

import json
import os
from pathlib import Path

import structlog
from pydantic import Field
from pydantic_settings import BaseSettings

_log = structlog.get_logger(__name__)


class ReadySettings(BaseSettings):
    """Where the ports are written."""

    ready_file: Path | None = Field(
        default=None, validation_alias="READY_FILE", description="a file to be written when the service is ready"
    )


def announce_ready(settings: ReadySettings, **ports: int) -> None:
    """Log `service_ready`; write the same to the file in one step, so that a reader sees all of it or nothing."""
    if settings.ready_file is not None:
        draft = settings.ready_file.with_name(f"{settings.ready_file.name}.{os.getpid()}")
        draft.write_text(json.dumps(ports))
        draft.replace(settings.ready_file)
    _log.info("service_ready", **ports)
