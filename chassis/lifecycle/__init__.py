"""The life of a process: start, serve until told to stop, drain in order, end with the right exit code."""

from chassis.lifecycle.lifecycle import Lifecycle
from chassis.lifecycle.runner import run

__all__ = ["Lifecycle", "run"]
