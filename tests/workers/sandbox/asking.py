"""How the sandbox's tests ask it: as any HTTP client would, by no code of the product."""

from typing import Any
from uuid import uuid4

import httpx

from tests.fakes.sandbox import RunningSandbox

ACCOUNT = "2323230000000001"


def body(**changes: object) -> dict[str, object]:
    """Return a body the provider accepts, with `changes`; None leaves a field out."""
    whole: dict[str, object] = {
        "account_number": ACCOUNT,
        "fund_account_id": "fa_00000000000001",
        "amount": 1000,
        "currency": "INR",
        "mode": "IMPS",
        "purpose": "payout",
        "queue_if_low_balance": True,
        "reference_id": str(uuid4()),
        "narration": "Weekly payout",
    }
    return {name: value for name, value in (whole | changes).items() if value is not None}


def post(
    bank: RunningSandbox, asked: dict[str, object] | None = None, key: str | None = None
) -> httpx.Response:
    """Ask for a payout under `key`, or under a new one."""
    headers = {"X-Payout-Idempotency": key or uuid4().hex}
    return bank.http.post("/v1/payouts", json=asked or body(), headers=headers)


def paid(bank: RunningSandbox, **changes: object) -> dict[str, Any]:
    """Ask for a payout that is accepted, and return it."""
    found: dict[str, Any] = post(bank, body(**changes)).raise_for_status().json()
    return found


def get(bank: RunningSandbox, path: str, **params: str | int) -> Any:  # noqa: ANN401  JSON
    """Read something of the account."""
    query: dict[str, str | int] = {"account_number": ACCOUNT, **params}
    return bank.http.get(f"/v1/{path}", params=query).raise_for_status().json()


def error(response: httpx.Response, status: int = 400) -> dict[str, Any]:
    """Return the provider's error of a response that must be one."""
    assert response.status_code == status
    found: dict[str, Any] = response.json()["error"]
    assert set(found) == {
        "code", "description", "source", "step", "reason", "metadata", "field",
    }  # fmt: skip
    return found
