"""What the line does to an answer: seen on a bare socket, with the payout kept or not."""

import base64
import json
import socket
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from tests.fakes.sandbox import RunningSandbox, running
from tests.workers.sandbox.asking import body, error, post
from workers.sandbox.faults import Faults
from workers.sandbox.settings import SandboxSettings


def raw_answer(bank: RunningSandbox) -> bytes:
    """Send one request on a socket of its own and return the answer; raises a reset."""
    content = json.dumps(body()).encode()
    login = base64.b64encode(f"{bank.settings.key_id}:{bank.settings.key_secret}".encode())
    head = (
        b"POST /v1/payouts HTTP/1.1\r\nHost: bank\r\nAuthorization: Basic " + login
        + b"\r\nX-Payout-Idempotency: " + uuid4().hex.encode()
        + b"\r\nContent-Length: " + str(len(content)).encode() + b"\r\n\r\n"
    )  # fmt: skip
    with socket.create_connection(("127.0.0.1", bank.port), timeout=10) as line:
        line.sendall(head + content)
        answer = b""
        while part := line.recv(65_536):
            answer += part
            if answer.endswith(b"}"):
                break
        return answer


def test_a_dropped_connection_is_a_reset_after_the_payout_was_stored(bank: RunningSandbox) -> None:
    """F55: a reset, not an orderly end, and no byte of an answer."""
    bank.order("drop")
    with pytest.raises(ConnectionResetError):
        raw_answer(bank)
    assert bank.summary()["transfers"] == 1


def test_a_reset_before_anything_happened_stores_nothing(bank: RunningSandbox) -> None:
    """F56."""
    bank.order("reset")
    with pytest.raises(ConnectionResetError):
        raw_answer(bank)
    assert bank.summary()["transfers"] == 0


def test_a_hanging_bank_ends_by_itself(bank: RunningSandbox) -> None:
    bank.order("hang", seconds=0.1)
    with pytest.raises(ConnectionResetError):
        raw_answer(bank)
    assert bank.summary()["transfers"] == 1


def test_half_an_answer_comes_and_no_more(bank: RunningSandbox) -> None:
    """F61."""
    bank.order("truncate")
    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        post(bank)
    assert bank.summary()["transfers"] == 1


def test_a_cut_harms_no_other_connection(bank: RunningSandbox) -> None:
    with httpx.Client(
        base_url=bank.http.base_url, auth=bank.http.auth, trust_env=False, timeout=60
    ) as other:
        other.get("/_sandbox/summary").raise_for_status()
        bank.order("drop", times=3)
        for _ in range(3):
            with pytest.raises(httpx.TransportError):
                post(bank)
        other.get("/_sandbox/summary").raise_for_status()


def test_an_order_for_one_reference_leaves_the_others_alone(bank: RunningSandbox) -> None:
    bank.order("refuse", reference="r1")
    assert post(bank, body(reference_id="r2")).status_code == 200
    assert post(bank, body(reference_id="r1")).status_code == 400
    assert post(bank, body(reference_id="r1")).status_code == 200


def test_a_sticky_error_stays_with_its_key(bank: RunningSandbox) -> None:
    """F58."""
    bank.order("sticky_error")
    asked = body()
    assert [post(bank, asked, "key-1").status_code for _ in range(3)] == [500, 500, 500]
    assert post(bank, asked, "key-2").status_code == 200
    assert bank.summary()["transfers"] == 1


def test_too_many_requests_are_told_when_to_come_back(tmp_path: Path) -> None:
    """F59."""
    settings = SandboxSettings(storage=tmp_path / "bank.sqlite", rate_per_second_max=0.01)
    with running(settings) as bank:
        assert post(bank).status_code == 200
        response = post(bank)
        error(response, 429)
        assert 90 <= int(response.headers["Retry-After"]) <= 100
        assert bank.summary()["rate_limited"] == 1


def test_rates_by_chance_come_again_in_another_run(tmp_path: Path) -> None:
    outcomes = []
    for name in ("a", "b"):
        settings = SandboxSettings(
            storage=tmp_path / name, faults=Faults.parse("error=0.3,refuse=0.3"), seed=3
        )
        with running(settings) as bank:
            outcomes.append([post(bank, body(), f"key-{n}").status_code for n in range(40)])
    assert outcomes[0] == outcomes[1]
    assert set(outcomes[0]) == {200, 400, 500}


def test_rates_can_be_changed_and_put_back(bank: RunningSandbox) -> None:
    bank.http.post("/_sandbox/faults", json={"rates": "error_before=1"}).raise_for_status()
    assert post(bank).status_code == 500
    bank.http.delete("/_sandbox/faults").raise_for_status()
    assert post(bank).status_code == 200


@pytest.mark.parametrize(
    "wrong",
    [
        {"rates": "dorp=1"},
        {"fault": "dorp"},
        {"fault": "drop", "times": 0},
        {"fault": "drop", "times": "many"},
        {"fault": "drop", "call": "never"},
        {"fault": "slow", "seconds": -1},
    ],
)
def test_an_order_that_makes_no_sense_is_refused(
    bank: RunningSandbox, wrong: dict[str, object]
) -> None:
    assert bank.http.post("/_sandbox/faults", json=wrong).status_code == 400
