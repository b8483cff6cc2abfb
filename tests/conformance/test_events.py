"""What any `Events` must do: one suite for the real client on a real server, and for the fake."""

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Protocol

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from domain.notices import Delivered, Undelivered
from domain.ports import Events
from tests.fakes.events import FakeEvents, Trouble
from tests.fakes.serving import serving
from workers.gateways.events import EVENT_ID, HttpEvents
from workers.sandbox.misbehaviour import Cut, Hang
from workers.sandbox.wires import Wires

ID, BODY = "6c1b2a0e-9d0f-51c0-77a1-0d0f0f1f7a10", '{"type" : "payout.completed", "n": "ä"}'
TIMEOUT_SECONDS = 1.0
HANG_SECONDS = 20.0


class Stage(Protocol):
    """Somebody who is told, and the hand that orders what goes wrong."""

    events: Events
    came: list[tuple[str, str]]
    taken: list[tuple[str, str]]

    def order(self, *troubles: Trouble) -> None:
        """Let the next POSTs meet these."""


class FakeStage:
    """The fake."""

    def __init__(self) -> None:
        self.fake = FakeEvents()
        self.events: Events = self.fake
        self.came, self.taken = self.fake.came, self.fake.taken

    def order(self, *troubles: Trouble) -> None:
        self.fake.script(*troubles)


class RealStage:
    """The real client, HTTP, a receiver of this machine."""

    def __init__(self) -> None:
        self.came: list[tuple[str, str]] = []
        self.taken: list[tuple[str, str]] = []
        self.troubles: list[Trouble] = []
        self.wires = Wires()
        self.app = Starlette(routes=[Route("/hook", self.hear, methods=["POST"])])
        self.events: Events = FakeEvents()

    def order(self, *troubles: Trouble) -> None:
        self.troubles += troubles
        if Trouble.AWAY in troubles:
            self.events = HttpEvents(
                "http://127.0.0.1:1/hook", ["s"], timeout_seconds=1.0, connections_max=1
            )

    async def hear(self, request: Request) -> Response:
        event = request.headers[EVENT_ID], (await request.body()).decode()
        trouble = self.troubles.pop(0) if self.troubles else None
        self.came.append(event)
        match trouble:
            case Trouble.ERROR:
                return Response(status_code=500)
            case Trouble.MOVED:
                return RedirectResponse("/hook", 307)
            case Trouble.SLOW:
                return Hang(HANG_SECONDS, self.wires)
            case _:
                self.taken.append(event)
                return Cut(self.wires) if trouble is Trouble.LOST else Response("ok", 200)


@pytest.fixture(params=["fake", "real"])
def stage(request: pytest.FixtureRequest) -> Iterator[Stage]:
    if request.param == "fake":
        yield FakeStage()
        return
    with ExitStack() as stack:
        made = RealStage()
        url = stack.enter_context(serving(made.app, made.wires))
        client = HttpEvents(
            f"{url}/hook", ["s3cret"], timeout_seconds=TIMEOUT_SECONDS, connections_max=2
        )
        stack.callback(client.close)
        made.events = client
        yield made


def test_what_is_answered_2xx_was_heard_as_it_was_sent(stage: Stage) -> None:
    assert stage.events.deliver(ID, BODY) == Delivered()
    assert stage.taken == [(ID, BODY)]


@pytest.mark.parametrize("trouble", list(Trouble))
def test_anything_else_was_not_heard_and_raises_nothing(stage: Stage, trouble: Trouble) -> None:
    """A lost reply, a time-out, a 500, a redirect, nobody there: all of them mean: again."""
    stage.order(trouble)

    assert isinstance(stage.events.deliver(ID, BODY), Undelivered)
    assert len(stage.came) == (trouble is not Trouble.AWAY)


def test_a_redirect_is_not_followed(stage: Stage) -> None:
    stage.order(Trouble.MOVED)

    stage.events.deliver(ID, BODY)
    assert (len(stage.came), stage.taken) == (1, [])


def test_after_trouble_the_same_event_is_heard(stage: Stage) -> None:
    stage.order(Trouble.LOST, Trouble.ERROR)

    answers = [stage.events.deliver(ID, BODY) for _ in range(3)]

    assert [type(answer) for answer in answers] == [Undelivered, Undelivered, Delivered]
    assert stage.taken == [(ID, BODY)] * 2
