"""What the jobs need of the outside world, as protocols; each has one conformance suite in tests."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple, Protocol

from domain.answers import Answer, Funds, LookUp, LookUpFailed, ProviderPayout, Report
from domain.checkout_answers import (
    OrderAnswer,
    OrderLookUp,
    ProviderOrder,
    ProviderRefund,
    RefundAnswer,
    RefundLookUp,
)
from domain.mails import Letter, MailAnswer
from domain.notices import Delivery
from domain.statements import StatementLine


class PayoutOrder(NamedTuple):
    """Everything a provider's request is made of. Amount in minor units."""

    reference: str
    """What the provider files it under: the payout's id, with its generation from the second on."""
    amount_minor: int
    currency: str
    fund_account_id: str
    mode: str
    purpose: str
    narration: str


class FrozenRequest(NamedTuple):
    """One request as it was committed before its first send: replayed byte for byte under `key`."""

    key: str
    body: str
    reference: str
    amount_minor: int
    currency: str
    fund_account_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sought:
    """A payout whose state at the provider is asked for."""

    reference: str
    provider_id: str
    created_at: datetime
    """When the provider says it was created (aware UTC)."""


class Bank(Protocol):
    """A provider that pays out.

    No method but `payouts_between` and `statement` raises for anything the network or the provider does. Every
    call is bounded by the adapter's *total* time-out on a monotonic clock, connect to last byte.
    """

    provider: str
    """`razorpayx`, `stripe`; with `account` it names whose books the effects are in."""
    account: str
    key_window: timedelta
    """How long after the first send the same key is known to answer with the same payout."""
    look_up_grace: timedelta
    """How long the provider's search may lag: finding nothing before this says nothing."""

    def freeze(self, order: PayoutOrder) -> str:
        """Return the exact request body for `order`. Pure: no clock, no chance, no settings that drift.

        JSON, with no white space around it: so what is stored is what was sent first, byte for byte.
        """

    def submit(self, request: FrozenRequest) -> Answer:
        """Send `request` once under its key.

        `Rejected` assumes a first send; it is read as `Unknown` where an earlier one may have begun.
        """

    def find(self, reference: str) -> LookUp:
        """Every payout under `reference`, following pagination to its end."""

    def fetch(self, sought: Sequence[Sought]) -> dict[str, Report]:
        """Up to a page of payouts with as few reads as it can, by reference.

        Absent means that the provider has none of that id. What a failed read, or the end of the
        time, kept from being asked about is `LookUpFailed`: nothing was said about it.
        """

    def payouts_between(self, start: datetime, end: datetime) -> Iterator[ProviderPayout]:
        """Every payout created in `[start, end)`. Raises `UnreachableError` when a read fails."""

    def statement(self, start: datetime, end: datetime) -> Iterator[StatementLine]:
        """Every line of the account's own statement in `[start, end)`, oldest first.

        Raises `UnreachableError` when a read fails. Balances are None where the provider tells none.
        """

    def balance(self) -> Funds:
        """What the account can pay out now; `LookUpFailed` where the provider did not say."""

    def check(self) -> LookUp:
        """One harmless authenticated call (the balance): `Found(payouts=())` when it worked."""


class OrderAsk(NamedTuple):
    """What the request for an order is made of. Amount in minor units."""

    reference: str
    """Our order's id."""
    amount_minor: int
    currency: str


class RefundAsk(NamedTuple):
    """What the request for a refund is made of. Amount in minor units."""

    reference: str
    """Our refund's id."""
    payment_id: str
    """What the gateway calls the capture."""
    amount_minor: int
    currency: str


class FrozenCall(NamedTuple):
    """One request to a payment gateway, as committed before its first send: replayed byte for byte under `key`."""

    key: str
    body: str
    reference: str
    amount_minor: int
    currency: str
    payment_id: str = ""
    """The capture that a refund is of."""


class Payments(Protocol):
    """A gateway that customers pay by. As with a `Bank`, no method raises for what the network or the gateway does."""

    provider: str
    account: str
    key_window: timedelta
    """How long after the first send the same key is known to answer with the same refund."""
    orders_are_keyed: bool
    """Whether the same holds of orders; where not, a look-up by reference goes before a second send."""
    orders_are_forgotten: bool
    """Whether a cancel makes an order one that nobody can pay; where not, it is only looked at."""
    look_up_grace: timedelta

    def freeze_order(self, ask: OrderAsk) -> str:
        """Return the exact body of an order's request. Pure. Raises `BadInputError` naming a bad field."""

    def create_order(self, request: FrozenCall) -> OrderAnswer:
        """Send the request for an order once."""

    def fetch_order(self, provider_id: str) -> ProviderOrder | LookUpFailed | None:
        """What the gateway says of an order, with its capture; None where it has none of that id."""

    def find_orders(self, reference: str) -> OrderLookUp:
        """Every order under `reference`, to the end of the list."""

    def cancel_order(self, provider_id: str) -> OrderAnswer:
        """Have an order forgotten. `Rejected` where it was paid, was forgotten before, or this gateway forgets none."""

    def freeze_refund(self, ask: RefundAsk) -> str:
        """Return the exact body of a refund's request. Pure. Raises `BadInputError` naming a bad field."""

    def refund(self, request: FrozenCall) -> RefundAnswer:
        """Send the request for a refund once under its key."""

    def find_refunds(self, payment_id: str, reference: str) -> RefundLookUp:
        """Every refund of a capture under `reference`, to the end of the list."""

    def refunds_between(self, start: datetime, end: datetime) -> Iterator[ProviderRefund]:
        """Every refund made in `[start, end)`, in no order. Raises `UnreachableError` where not all can be read."""


class Alerts(Protocol):
    """Where findings and heartbeats are sent."""

    def send(self, document: dict[str, object]) -> bool:
        """POST one finding as JSON; True when the receiver answered 2xx."""

    def heartbeat(self) -> bool:
        """Tell the outside that the whole system is alive; True when the receiver answered 2xx."""


class Events(Protocol):
    """Where applications are told what happened."""

    def deliver(self, event_id: str, body: str) -> Delivery:
        """POST `body` as it is, signed, under `event_id`. Raises for nothing that the network or the receiver does.

        Bounded by a *total* time-out, connect to last byte. A lost reply is `Undelivered`: the receiver
        tells a repeat by its id.
        """


class Mail(Protocol):
    """A mail server that takes mail over, to be delivered wherever it goes.

    Neither method raises for anything the network or the server does.
    """

    provider: str
    """`smtp`; with `account` it names where effects were sent."""
    account: str

    def freeze(self, letter: Letter) -> str:
        """Return the whole mail as it will be sent, as JSON with no white space around it.

        Pure: no clock, no chance. Its Message-ID is made from the letter's key.
        """

    def send(self, request: str) -> MailAnswer:
        """Hand a frozen mail over, once. Bounded by a *total* time-out, connect to last reply.

        `Rejected` only where the server refused this mail for good, and `NotSent` only where it surely
        did not take it; both assume a first send (`as_evidence`).
        """
