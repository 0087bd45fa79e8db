"""What a gRPC process must be like before it serves."""

import os

from google.protobuf.internal import api_implementation

from chassis.errors import Crash

_FORK_SUPPORT = "GRPC_ENABLE_FORK_SUPPORT"


def check_runtime() -> None:
    """Crash where protobuf runs in pure Python (many times slower) or gRPC is told to survive forks (it does not)."""
    implementation = api_implementation.Type()
    if implementation != "upb":
        message = f"protobuf runs on {implementation}: unset PROTOCOL_BUFFERS_PYTHON_IMPLEMENTATION, reinstall protobuf"
        raise Crash(message)
    if os.environ.get(_FORK_SUPPORT, "0").lower() not in {"", "0", "false"}:
        message = f"{_FORK_SUPPORT} is set: unset it, this process must never fork"
        raise Crash(message)
