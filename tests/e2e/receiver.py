"""A real receiver of answers: verifies each Standard Webhook, counts by webhook-id, and misbehaves on order."""

import json
import threading
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from enum import Enum, auto
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

from standardwebhooks import Webhook, WebhookVerificationError

from local.ports import remembered_ports

SECRET: Final = "whsec_ZTJlLXRlc3RzLWFuc3dlcnMtc2VjcmV0"
LOOPBACK: Final = "127.0.0.1"


class Behaviour(Enum):
    """What the receiver does with one answer instead of taking it and saying so."""

    TAKE_AND_HANG = auto()
    TAKE_AND_CUT = auto()
    FAIL = auto()
    """500, and nothing was taken."""


class Receiver:
    """Holds what arrived; its server can be closed and opened again on the same port."""

    def __init__(self, port: int) -> None:
        self.url = f"http://{LOOPBACK}:{port}"
        self.arrivals: Counter[str] = Counter()
        """How often each reply id was taken."""
        self.texts: dict[str, str] = {}
        self.parents: dict[str, str] = {}
        """The native id of the post that each reply answers."""
        self.unsigned = 0
        self.arrived = threading.Condition()
        self.released = threading.Event()
        self._port = port
        self._planned: deque[Behaviour] = deque()
        self._server: ThreadingHTTPServer | None = None

    def misbehave(self, behaviour: Behaviour, times: int = 1) -> None:
        """Treat the next answers so."""
        self._planned.extend([behaviour] * times)

    @property
    def still_to_misbehave(self) -> int:
        """How many planned misbehaviours nobody has met yet."""
        return len(self._planned)

    def open(self) -> None:
        """Take connections."""
        self._server = _Server(self._port, self)
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def close(self) -> None:
        """Refuse connections until `open`; requests that were begun are served."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def next_behaviour(self) -> Behaviour | None:
        """How to treat the answer that just came."""
        with suppress(IndexError):
            return self._planned.popleft()
        return None

    def take(self, reply: str, data: dict[str, Any]) -> None:
        """Keep an answer."""
        with self.arrived:
            self.arrivals[reply] += 1
            self.texts[reply] = data["text"]
            self.parents[reply] = data["native_parent_id"]
            self.arrived.notify_all()

    def wait_for_answer_to(self, native_id: str, seconds: float = 30.0) -> str:
        """The text that answers a post; raises TimeoutError where none comes."""
        with self.arrived:
            if not self.arrived.wait_for(lambda: native_id in self.parents.values(), seconds):
                raise TimeoutError(f"no answer to {native_id} arrived in {seconds:.0f} s")
            [text] = [self.texts[reply] for reply, parent in self.parents.items() if parent == native_id]
            return text


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, port: int, receiver: Receiver) -> None:
        super().__init__((LOOPBACK, port), _Handler)
        self.receiver = receiver

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A sender that was killed cuts its connection: nothing to report."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_POST(self) -> None:
        receiver = self.server.receiver
        length = int(self.headers["content-length"])
        body = self.rfile.read(length)
        if len(body) < length or not self._is_signed(body):
            return  # a sender that is killed in the middle of a request has sent nothing
        behaviour, reply = receiver.next_behaviour(), self.headers["webhook-id"]
        if behaviour is Behaviour.FAIL:
            self._answer(500, {})
            return
        receiver.take(reply, json.loads(body)["data"])
        if behaviour is None:
            self._answer(200, {"native_id": f"native-{reply}"})
            return
        if behaviour is Behaviour.TAKE_AND_HANG:
            receiver.released.wait()
        self.close_connection = True

    def do_GET(self) -> None:
        reply = self.path.rpartition("/")[2]
        if self._is_signed(b""):
            known = reply in self.server.receiver.arrivals
            self._answer(200 if known else 404, {"native_id": f"native-{reply}"} if known else {})

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def _is_signed(self, body: bytes) -> bool:
        try:
            Webhook(SECRET).verify(body, dict(self.headers), json_parse=False)
        except WebhookVerificationError:
            self.server.receiver.unsigned += 1
            self._answer(401, {})
            return False
        return True

    def _answer(self, status: int, content: dict[str, str]) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def running_receiver(folder: Path) -> Iterator[Receiver]:
    """A receiver on a free port for the length of a block."""
    receiver = Receiver(remembered_ports(folder / "receiver_port.json", ["receiver"])["receiver"])
    receiver.open()
    try:
        yield receiver
    finally:
        receiver.released.set()
        receiver.close()
