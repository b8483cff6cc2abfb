"""Events are signed so that their receiver can tell; their address and secrets are nowhere else."""

import re
import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from domain.errors import BadInputError, BadInputsError
from domain.notices import Delivered, Undelivered
from tests.fakes.serving import serving
from workers.gateways.events import SIGNATURE, HttpEvents, open_events, signature
from workers.sandbox.misbehaviour import Drip
from workers.sandbox.wires import Wires
from workers.settings import load

PAGE: Final = Path(__file__).parents[3] / "docs/events.md"
NOW: Final = 1_764_300_000
BODY: Final = '{"type": "payout.completed"}'


@pytest.fixture
def is_ours(tmp_path: Path) -> Callable[..., bool]:
    """The check that the page gives to receivers."""
    [code] = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    path = tmp_path / "receiver.py"
    path.write_text(code, encoding="utf-8")
    found: Callable[..., bool] = runpy.run_path(str(path))["is_ours"]
    return found


def test_the_check_on_the_page_knows_ours_from_others(is_ours: Callable[..., bool]) -> None:
    header, body = signature(["new", "old"], BODY.encode(), NOW), BODY.encode()

    assert header.startswith(f"t={NOW},v1=")
    assert is_ours("new", header, body, NOW + 299)
    assert is_ours("old", header, body, NOW)
    assert not is_ours("other", header, body, NOW)
    assert not is_ours("new", header, body + b" ", NOW)
    assert not is_ours("new", header, body, NOW + 301)
    assert not is_ours("new", header.replace(str(NOW), str(NOW + 1)), body, NOW)
    assert not is_ours("new", "", body, NOW)


def test_what_arrives_carries_the_signature_of_its_raw_bytes(
    is_ours: Callable[..., bool],
) -> None:
    got: list[tuple[str, bytes]] = []

    async def hear(request: Request) -> Response:
        got.append((request.headers[SIGNATURE], await request.body()))
        return Response(status_code=204)

    with serving(Starlette(routes=[Route("/", hear, methods=["POST"])])) as url:
        events = HttpEvents(
            url, ["s3cret"], timeout_seconds=5.0, connections_max=1, clock=lambda: NOW + 0.7
        )
        assert events.deliver("1", BODY) == Delivered()
        events.close()
    [(header, body)] = got
    assert is_ours("s3cret", header, body, NOW)


def test_an_answer_that_drips_holds_nobody_once_its_status_is_there() -> None:
    wires = Wires()

    async def hear(_request: Request) -> Response:
        return Drip(Response(status_code=200), 20.0, wires)

    app = Starlette(routes=[Route("/", hear, methods=["POST"])])
    with serving(app, wires) as url:
        events = HttpEvents(url, ["s"], timeout_seconds=2.0, connections_max=1)
        assert events.deliver("1", BODY) == Delivered()
        events.close()


def test_a_failure_names_neither_address_nor_secret() -> None:
    events = HttpEvents(
        "http://127.0.0.1:1/capability", ["s3cret"], timeout_seconds=1.0, connections_max=1
    )
    answer = events.deliver("1", BODY)
    events.close()

    assert isinstance(answer, Undelivered)
    assert "capability" not in answer.reason
    assert "127" not in answer.reason


def test_an_address_in_the_clear_is_refused_and_not_shown() -> None:
    told = {"BURSAR_EVENTS_URL": "http://shop.example/s3cret", "BURSAR_EVENTS_SECRETS": "a,b"}
    with pytest.raises(BadInputError) as refused, open_events(load(told)):
        pass
    assert "BURSAR_EVENTS_URL" in str(refused.value)
    assert "s3cret" not in str(refused.value)


def test_where_nobody_is_to_be_told_there_is_nothing() -> None:
    with open_events(load({})) as none:
        assert none is None


@pytest.mark.parametrize("given", ["BURSAR_EVENTS_URL", "BURSAR_EVENTS_SECRETS"])
def test_events_are_signed_or_not_sent(given: str) -> None:
    missing = {"BURSAR_EVENTS_URL", "BURSAR_EVENTS_SECRETS"} - {given}
    with pytest.raises((BadInputError, BadInputsError), match="events are signed") as refused:
        load({given: "https://shop.example/hook"})
    assert missing.pop() in str(refused.value)
