"""The sandbox bank of a home: its plan, its process, and what it counted."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx

from domain.errors import RefusedError, UnreachableError
from workers.free_ports import free_ports
from workers.sandbox.faults import Faults
from workers.sandbox.serve import serve
from workers.sandbox.settings import SandboxSettings
from workers.servers import SandboxPlan
from workers.signals import survive_stop

READ_SECONDS = 10.0
STORAGE = "sandbox.sqlite"


def run_sandbox(
    home: Path,
    *,
    port: int | None,
    faults: str | None,
    web_url: str | None,
    tell: Callable[[Mapping[str, object]], None] | None,
) -> None:
    """Run the home's bank until SIGTERM; a home without one gets it. It tells the `bursar web` at `web_url`.

    `tell` is told what to set to use it: its secret, too, so not where that ends up in a log.
    """
    plan = SandboxPlan.read(home) or SandboxPlan.make(free_ports(1)[0])
    plan = replace(plan, port=plan.port if port is None else port or free_ports(1)[0])
    plan = replace(plan, faults=plan.faults if faults is None else str(Faults.parse(faults)))
    plan = plan if web_url is None else plan.telling(web_url)
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    plan.write(home)
    if tell is not None:
        tell(plan.environment)
    survive_stop()
    serve(_settings(plan, home), port=plan.port)


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """What the bank says it did."""

    transfers: int = 0
    sends: int = 0
    """Requests for a payment, refused and repeated ones too."""
    sent_again: int = 0
    """Keys that came more than once."""
    faults: Mapping[str, int] = field(default_factory=dict)
    forgeries_believed: int = 0
    """Forged webhooks that were answered 2xx."""
    captures: int = 0
    captured_minor: int = 0
    """What customers paid."""
    refunds: int = 0
    refunded_minor: int = 0
    """What of it was given back."""


def count(plan: SandboxPlan) -> Counted:
    """Ask the bank what it did. Raises `UnreachableError` where it does not answer."""
    reply = _asked(plan, "GET", "/_sandbox/summary")
    try:
        reply.raise_for_status()
    except httpx.HTTPError as error:
        raise _away(plan, error) from error
    found = reply.json()
    return Counted(
        transfers=found["transfers"],
        sends=found["sends"],
        sent_again=found["keys_sent_again"],
        faults=found["faults"],
        forgeries_believed=found["forgeries_believed"],
        captures=found["captures"],
        captured_minor=found["captured_minor"],
        refunds=found["refunds"],
        refunded_minor=found["refunded_minor"],
    )


def pay(plan: SandboxPlan, order: str) -> str:
    """Pay what the sandbox's till calls `order`; returns what it calls the capture.

    Raises `RefusedError` where nobody may pay it any more, `UnreachableError` where nobody answers.
    """
    reply = _asked(plan, "POST", "/_sandbox/captures", json={"order": order})
    if not reply.is_success:
        raise RefusedError(f"the sandbox does not take the money for {order}: {reply.text}")
    return str(reply.json()["payment"])


def _asked(plan: SandboxPlan, method: str, path: str, **more: Any) -> httpx.Response:  # noqa: ANN401 - as httpx takes them
    try:
        return httpx.request(
            method,
            plan.url.removesuffix("/v1") + path,
            auth=(plan.key_id, plan.key_secret),
            timeout=READ_SECONDS,
            trust_env=False,
            **more,
        )
    except httpx.HTTPError as error:
        raise _away(plan, error) from error


def _away(plan: SandboxPlan, error: Exception) -> UnreachableError:
    return UnreachableError(f"the sandbox bank at {plan.url} does not answer: {error}")


def _settings(plan: SandboxPlan, home: Path) -> SandboxSettings:
    return SandboxSettings(
        storage=home / STORAGE,
        key_id=plan.key_id,
        key_secret=plan.key_secret,
        account_number=plan.account_number,
        process_seconds=plan.process_seconds,
        rate_per_second_max=plan.rate_per_second_max,
        faults=Faults.parse(plan.faults),
        seed=plan.seed,
        webhook_url=plan.webhook_url,
        stripe_webhook_url=plan.stripe_webhook_url,
        razorpay_webhook_url=plan.razorpay_webhook_url,
        webhook_secret=plan.webhook_secret,
    )
