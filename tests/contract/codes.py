"""Finds every code that the program may give, in its enums and, where codes are literals, in its syntax."""

import ast
import importlib
import pkgutil
from collections.abc import Iterator
from functools import cache
from typing import Final

import httpx

from chassis.api_errors import ErrorReason
from cli.project import PROJECT, SERVICES
from services.responder import approval
from services.responder.channels import webhook

PRODUCTION: Final = ("chassis", "contracts", "services")


@cache
def calls(*packages: str) -> tuple[ast.Call, ...]:
    """Every call that stands in the packages' modules."""
    files = [file for package in packages for file in sorted((PROJECT / package).rglob("*.py"))]
    nodes = (node for file in files for node in ast.walk(ast.parse(file.read_text())))
    return tuple(node for node in nodes if isinstance(node, ast.Call))


def name_of(call: ast.Call) -> str:
    """The last part of what is called."""
    function = call.func
    return function.id if isinstance(function, ast.Name) else getattr(function, "attr", "")


def literals(names: set[str], *packages: str, position: int = 0) -> Iterator[str]:
    """The text that calls of `names` give as their argument at `position`."""
    for call in calls(*packages):
        argument = call.args[position] if name_of(call) in names and len(call.args) > position else None
        if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
            yield argument.value


def import_services() -> None:
    """Import every module of the services, so that what registers itself is there."""
    for service in SERVICES:
        package = importlib.import_module(f"services.{service}")
        for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
            if not module.name.endswith("__main__"):
                importlib.import_module(module.name)


def grpc_reasons() -> set[str]:
    """The reasons of our own packages; tests define some, too."""
    import_services()
    ours = (each for each in ErrorReason.__subclasses__() if each.__module__.split(".")[0] in PRODUCTION)
    return {reason.value for each in ours for reason in each}


def dead_letter_codes() -> set[str]:
    """What a record may be refused for."""
    return set(literals({"NeverRetry", "unexpected"}, *PRODUCTION))


def delivery_codes() -> set[str]:
    """How a send or a lookup may end; the open ones as patterns."""
    ours = set(literals({"NotArrived", "Unknown"}, "services/responder"))
    named = {approval.NOT_RELEASED, approval.MOVED_ON, approval.NOT_ARRIVED}
    raised = {webhook._code(error("")) for error in (*_leaves(httpx.RequestError), TimeoutError)}
    return ours | named | raised | {"HTTP_<status>", "LOOKUP_<code>"}


def metric_names() -> set[str]:
    """The names of all instruments."""
    made = (call for call in calls("chassis", "services") if "_meter" in f"_{ast.unparse(call.func)}")
    return {_value(call.args[0]) for call in made if name_of(call).startswith("create_")}


def _value(argument: ast.expr) -> str:
    """A literal, or a name of one of the catalogues of names."""
    if isinstance(argument, ast.Constant):
        return str(argument.value)
    name = ast.unparse(argument).rpartition(".")[2]
    catalogues = (importlib.import_module(module) for module in ("chassis.kafka.semantics", "chassis.semantics"))
    return next(str(getattr(catalogue, name)) for catalogue in catalogues if hasattr(catalogue, name))


def _leaves(error: type[httpx.RequestError]) -> Iterator[type[httpx.RequestError]]:
    for each in (found for found in error.__subclasses__() if found.__module__.startswith("httpx")):
        yield from _leaves(each) if each.__subclasses__() else (each,)
