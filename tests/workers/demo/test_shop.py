"""Who acts in the demo asks again until they are answered, under one key, and waits side by side."""

import json
import queue
import threading
from collections.abc import Generator, Iterator, Mapping
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

import pytest

from workers.demo.shop import Answer, Scene, Shop, Till, together, until
from workers.free_ports import free_ports
from workers.servers import SandboxPlan

SECONDS_MAX = 60.0
BUSY = (503, {"error": {"code": "unavailable"}})
CONFLICT = (409, {"error": {"code": "conflict"}})
SOLD_OUT = (409, {"error": {"code": "sold_out"}})


class Door(BaseHTTPRequestHandler):
    """Answers as it was told to, in order, and keeps what was asked."""

    answers: ClassVar[list[tuple[int, Mapping[str, object]]]]
    asked: ClassVar["queue.SimpleQueue[tuple[str, Mapping[str, object], str]]"]

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.asked.put((self.path, body, self.headers.get("Idempotency-Key", "")))
        status, document = self.answers.pop(0)
        raw = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def answering(*answers: tuple[int, Mapping[str, object]]) -> Iterator[tuple[int, type[Door]]]:
    """Run a door; yields its port and what it keeps."""
    kind = type("OneDoor", (Door,), {"answers": list(answers), "asked": queue.SimpleQueue()})
    server = ThreadingHTTPServer(("127.0.0.1", 0), kind)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.server_port, kind
    finally:
        server.shutdown()
        server.server_close()
        thread.join(SECONDS_MAX)


def acted(scene: Generator[None, None, Answer]) -> tuple[Answer, int]:
    """What a scene ends with, and how often it waited."""
    waits = 0
    while True:
        try:
            next(scene)
        except StopIteration as over:
            return over.value, waits
        waits += 1


def test_a_shop_asks_again_under_its_key_until_it_is_answered() -> None:
    with (
        answering(BUSY, CONFLICT, (200, {"payment": "p"})) as (port, door),
        closing(Shop(f"http://127.0.0.1:{port}", "token")) as shop,
    ):
        answer, waits = acted(shop.ask("bookings.start_checkout", "Aditi", "k", plan="RAGAS"))
    assert (answer.status, answer.document, answer.code, waits) == (200, {"payment": "p"}, "", 2)
    said = ("/v1/bookings/start_checkout", {"actor": "Aditi", "plan": "RAGAS"}, "k")
    assert [door.asked.get_nowait() for _ in range(3)] == [said] * 3


def test_what_was_declined_for_good_is_an_answer() -> None:
    with (
        answering(SOLD_OUT) as (port, _),
        closing(Shop(f"http://127.0.0.1:{port}", "token")) as shop,
    ):
        answer, waits = acted(shop.ask("bookings.start_checkout", "Nisha", "k"))
    assert (answer.status, answer.code, waits) == (409, "sold_out", 0)


def test_nobody_there_is_waited_for() -> None:
    with closing(Shop(f"http://127.0.0.1:{free_ports(1)[0]}", "token")) as shop:
        scene = shop.ask("bookings.participants", "Meera Iyer")
        assert [next(scene, "answered") for _ in range(2)] == [None, None]


def test_a_customer_pays_at_the_till() -> None:
    with answering((200, {"payment": "pay_1"})) as (port, door):
        with closing(Till(SandboxPlan.make(port))) as till:
            answer, _ = acted(till.pay("order_1"))
        assert answer.document == {"payment": "pay_1"}
        assert door.asked.get_nowait()[:2] == ("/_sandbox/captures", {"order": "order_1"})


def test_scenes_go_on_side_by_side_until_all_have_ended() -> None:
    seen: list[str] = []

    def scene(name: str, times: int) -> Scene:
        for _ in range(times):
            seen.append(name)
            yield

    turns = [len(seen) for _ in together(scene("a", 1), scene("b", 3))]
    assert ("".join(seen), turns) == ("abbb", [2, 3, 4])


def test_a_scene_waits_until_something_is_so() -> None:
    said = iter([False, False, True])
    assert len(list(until(lambda: next(said)))) == 2


@pytest.mark.parametrize("document", ["{}", "[]"])
def test_what_is_no_answer_of_ours_is_asked_for_again(document: str) -> None:
    """A page of a proxy has no error code; it is read as it is."""
    assert Answer(status=200, document=json.loads(document)).code == ""
