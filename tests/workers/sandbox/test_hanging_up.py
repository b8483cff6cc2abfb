"""A client that hangs up is no error of the bank's, whenever it does."""

import base64
import queue
import socket
from pathlib import Path

import pytest
from starlette.types import ASGIApp, Receive, Scope, Send

from tests.fakes.sandbox import RunningSandbox, running
from workers.sandbox.settings import SandboxSettings
from workers.sandbox.wires import Wires

BODY = b"{}"


def hang_up(bank: RunningSandbox, sent: bytes) -> None:
    """Announce a request's whole body, send so much of it, and leave."""
    word = base64.b64encode(f"{bank.settings.key_id}:{bank.settings.key_secret}".encode()).decode()
    head = f"POST /v1/payouts HTTP/1.1\r\nHost: x\r\nAuthorization: Basic {word}\r\n"
    head += f"X-Payout-Idempotency: abcd\r\nContent-Length: {len(BODY)}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", bank.port)) as wire:
        wire.sendall(head.encode() + sent)


@pytest.mark.parametrize(("sent", "fault"), [(b"", None), (BODY, "drop"), (BODY, "hang")])
def test_who_hangs_up_leaves_no_error_behind(
    tmp_path: Path, sent: bytes, fault: str | None
) -> None:
    ends: queue.SimpleQueue[Exception | None] = queue.SimpleQueue()

    def around(app: ASGIApp) -> ASGIApp:
        async def watched(scope: Scope, receive: Receive, send: Send) -> None:
            try:
                await app(scope, receive, send)
            except Exception as error:
                ends.put(error)
                raise
            if scope.get("path") == "/v1/payouts":
                ends.put(None)

        return watched

    settings = SandboxSettings(storage=tmp_path / "bank.sqlite", hang_seconds=0.2)
    with running(settings, around) as bank:
        if fault:
            bank.order(fault)
        hang_up(bank, sent)
        assert ends.get(timeout=60) is None


def test_only_a_served_bank_can_cut_and_what_is_gone_needs_no_cut() -> None:
    wires, gone = Wires(), {"client": ("127.0.0.1", 1)}
    with pytest.raises(RuntimeError, match="only a served bank"):
        wires.cut(gone)
    wires.protocol()
    wires.cut(gone)
