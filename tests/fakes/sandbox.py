"""A real sandbox bank on a free port of this machine, in a thread of the test's process."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import httpx
from starlette.types import ASGIApp

from workers.gateways.razorpay import Razorpay
from workers.gateways.razorpayx import RazorpayX
from workers.gateways.stripe import Stripe
from workers.gateways.stripe_payments import StripePayments
from workers.sandbox.serve import server
from workers.sandbox.settings import SandboxSettings

START_SECONDS_MAX = 60.0


class RunningSandbox:
    """A served bank, and the door a test orders it by."""

    def __init__(self, settings: SandboxSettings, port: int) -> None:
        self.settings = settings
        self.port = port
        self.url = f"http://127.0.0.1:{port}/v1"
        self.http = httpx.Client(
            base_url=f"http://127.0.0.1:{port}",
            auth=(settings.key_id, settings.key_secret),
            trust_env=False,
            timeout=60,
        )
        self.as_stripe = httpx.Client(
            base_url=f"http://127.0.0.1:{port}/v1",
            headers={"Authorization": f"Bearer {settings.key_secret}"},
            trust_env=False,
            timeout=60,
        )
        """Asks as Stripe is asked."""

    def client(
        self, *, timeout_seconds: float = 5.0, look_up_grace: timedelta = timedelta(seconds=2)
    ) -> RazorpayX:
        """Return the product's own client of this bank's payouts."""
        return RazorpayX(
            url=self.url,
            key_id=self.settings.key_id,
            key_secret=self.settings.key_secret,
            account_number=self.settings.account_number,
            timeout_seconds=timeout_seconds,
            connections_max=16,
            look_up_grace=look_up_grace,
        )

    def stripe(
        self, *, timeout_seconds: float = 5.0, look_up_grace: timedelta = timedelta(seconds=2)
    ) -> Stripe:
        """Return the product's own client of this bank's transfers."""
        return Stripe(
            url=f"http://127.0.0.1:{self.port}",
            api_key=self.settings.key_secret,
            account=self.settings.stripe_account,
            timeout_seconds=timeout_seconds,
            connections_max=16,
            look_up_grace=look_up_grace,
        )

    def razorpay(self, *, timeout_seconds: float = 5.0) -> Razorpay:
        """Return the product's own client of this bank's orders and refunds, in Razorpay's words."""
        return Razorpay(
            url=self.url,
            key_id=self.settings.key_id,
            key_secret=self.settings.key_secret,
            timeout_seconds=timeout_seconds,
            connections_max=16,
        )

    def stripe_payments(self, *, timeout_seconds: float = 5.0) -> StripePayments:
        """The same in Stripe's words."""
        return StripePayments(
            url=f"http://127.0.0.1:{self.port}",
            api_key=self.settings.key_secret,
            account=self.settings.stripe_account,
            timeout_seconds=timeout_seconds,
            connections_max=16,
        )

    def capture(self, order: str) -> str:
        """Let a customer pay an order; returns what the capture is called."""
        told = self.http.post("/_sandbox/captures", json={"order": order}).raise_for_status()
        return str(told.json()["payment"])

    def order(self, fault: str | None, **more: object) -> None:
        """Let the next requests that fit meet `fault`."""
        self.http.post("/_sandbox/faults", json={"fault": fault, **more}).raise_for_status()

    def advance(self, seconds: float) -> None:
        """Move the bank's clock ahead."""
        self.http.post("/_sandbox/clock", json={"seconds": seconds}).raise_for_status()

    def deposit(self, amount: int) -> None:
        """Add to the bank's account."""
        self.http.post("/_sandbox/balance", json={"add": amount}).raise_for_status()

    def summary(self) -> dict[str, Any]:
        """Return what was really paid."""
        found: dict[str, Any] = self.http.get("/_sandbox/summary").raise_for_status().json()
        return found


@contextmanager
def running(
    settings: SandboxSettings, around: Callable[[ASGIApp], ASGIApp] = lambda app: app
) -> Iterator[RunningSandbox]:
    """Serve a bank until the block ends, with something `around` its application."""
    served = server(settings, port=0)
    served.config.app = around(served.config.app)  # type: ignore[arg-type]  # uvicorn's name for the same
    thread = threading.Thread(target=served.run, name="sandbox", daemon=True)
    thread.start()
    ends_at = time.monotonic() + START_SECONDS_MAX
    pause = threading.Event()
    while not served.started:
        assert thread.is_alive(), "the sandbox did not start"
        assert time.monotonic() < ends_at, "the sandbox did not start in time"
        pause.wait(0.005)
    port = served.servers[0].sockets[0].getsockname()[1]
    bank = RunningSandbox(settings, port)
    try:
        yield bank
    finally:
        bank.http.close()
        bank.as_stripe.close()
        served.should_exit = True
        thread.join(START_SECONDS_MAX)
        assert not thread.is_alive(), "the sandbox did not stop"
