"""Runs one contestant in this process and prints its measurement: started by the suite."""

import argparse
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from bench import process
from bench.classifier.stages import Stages
from bench.measurement import Measurement
from bench.routing import bare_aiokafka, bare_confluent, faststream_handler, service
from bench.routing.task import Task, Work
from chassis.lifecycle import Lifecycle

CONTESTANTS: Final[Mapping[str, Callable[[Task, Work], Awaitable[Measurement]]]] = {
    "service": service.route,
    "bare_aiokafka": bare_aiokafka.route,
    "bare_confluent": bare_confluent.route,
    "faststream_handler": faststream_handler.route,
}


def main() -> None:
    """Read the task from the command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("contestant", choices=CONTESTANTS)
    parser.add_argument("stages", choices=list(Stages))
    parser.add_argument("bootstrap_servers")
    parser.add_argument("group")
    parser.add_argument("records", type=int)
    given = parser.parse_args()
    task = Task(given.bootstrap_servers, given.group, given.records)
    process.run(_routing(given.contestant, Stages(given.stages), task))


def _routing(contestant: str, stages: Stages, task: Task) -> Callable[[Lifecycle], Awaitable[None]]:
    async def start(lifecycle: Lifecycle) -> None:
        lifecycle.background(route(Work(stages), lifecycle), contestant)

    async def route(work: Work, lifecycle: Lifecycle) -> None:
        process.say((await CONTESTANTS[contestant](task, work)).to_json())
        lifecycle.stop()

    return start


if __name__ == "__main__":
    main()
