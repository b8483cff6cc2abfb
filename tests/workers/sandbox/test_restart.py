"""A bank that was killed knows every payout it ever answered for."""

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event

import httpx

from tests.fakes.sandbox import RunningSandbox
from tests.workers.sandbox.asking import body, post
from workers.sandbox.settings import SandboxSettings

PROGRAM = """
import sys
from pathlib import Path
from workers.sandbox.serve import serve
from workers.sandbox.settings import SandboxSettings
serve(SandboxSettings(storage=Path(sys.argv[1])), port=int(sys.argv[2]))
"""
START_SECONDS_MAX = 180.0


@contextmanager
def process(storage: Path, port: int) -> Iterator[tuple[RunningSandbox, "subprocess.Popen[bytes]"]]:
    """Run the bank as its own process."""
    child = subprocess.Popen([sys.executable, "-c", PROGRAM, str(storage), str(port)])
    bank = RunningSandbox(SandboxSettings(storage=storage), port)
    try:
        _wait_for(bank)
        yield bank, child
    finally:
        bank.http.close()
        child.kill()
        child.wait(START_SECONDS_MAX)


def _wait_for(bank: RunningSandbox) -> None:
    ends_at = time.monotonic() + START_SECONDS_MAX
    while True:
        try:
            bank.summary()
        except httpx.ConnectError:
            assert time.monotonic() < ends_at, "the sandbox did not start"
            Event().wait(0.02)
        else:
            return


def test_a_killed_bank_answers_an_old_key_with_its_old_payout(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    asked = [body() for _ in range(50)]
    with process(tmp_path / "bank.sqlite", port) as (bank, child):
        made = [post(bank, one, f"key-{n}").json()["id"] for n, one in enumerate(asked)]
        bank.advance(1000)
        before = bank.summary()
        child.send_signal(signal.SIGKILL)
        child.wait(START_SECONDS_MAX)
    with process(tmp_path / "bank.sqlite", port) as (bank, child):
        assert bank.summary() == before
        again = [post(bank, one, f"key-{n}").json() for n, one in enumerate(asked)]
        assert [payout["id"] for payout in again] == made
        assert {payout["status"] for payout in again} == {"processed"}
        assert bank.summary()["transfers"] == 50
        child.send_signal(signal.SIGTERM)
        child.wait(START_SECONDS_MAX)
