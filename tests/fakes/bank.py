"""A bank in memory: the `Bank` port with the rules held, answers to order, and calls that wait."""

import json
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from domain.answers import (
    Accepted,
    Answer,
    Balance,
    Found,
    Funds,
    LookUp,
    LookUpFailed,
    NotSent,
    ProviderPayout,
    ProviderStatus,
    Rejected,
    Report,
    Unknown,
)
from domain.errors import UnreachableError
from domain.ports import FrozenRequest, PayoutOrder, Sought
from domain.razorpayx import fits_key, fits_narration, freeze
from domain.razorpayx_payouts import STATUSES
from domain.statements import Side, Source, StatementLine
from workers.sandbox.faults import BEFORE, Fault

HELD_SECONDS_MAX = 60.0
"""How long a held call waits before the test is called broken."""

INSTEAD: dict[Fault, Answer] = {
    Fault.REFUSE: Rejected(code="BAD_REQUEST_ERROR", reason="refused"),
    Fault.UNPROCESSABLE: Rejected(code="BAD_REQUEST_ERROR", reason="refused"),
    Fault.UNAUTHORISED: NotSent(reason="http 401", brake=True),
    Fault.FORBIDDEN: NotSent(reason="http 403", brake=True),
    Fault.RATE_LIMIT: Unknown(reason="http 429", retry_after_seconds=1.0),
}
"""What a client makes of each fault that comes before execution; of any other, unknown."""

HARMLESS = frozenset({Fault.SLOW, Fault.FAIL, Fault.REVERSE})
BACK = frozenset({ProviderStatus.FAILED, ProviderStatus.REVERSED, ProviderStatus.CANCELLED})
"""After which the bank has given the money back."""
OPENING_BALANCE = 10**13
SUSPECT = frozenset({Fault.WRONG_AMOUNT, Fault.WRONG_REFERENCE})


@dataclass(frozen=True, slots=True, kw_only=True)
class Submit:
    """One send, as it arrived."""

    key: str
    body: str
    reference: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfer:
    """One payout that the bank really made."""

    key: str
    body: str
    made_at: datetime
    payout: ProviderPayout


class Hold:
    """Calls that wait: tells how many do, and lets them go."""

    def __init__(self) -> None:
        self._calls = threading.Semaphore(0)
        self._open = threading.Event()

    def meet(self) -> None:
        """Wait here until released (called by the bank)."""
        self._calls.release()
        assert self._open.wait(HELD_SECONDS_MAX), "a held call was never released"

    def wait_for(self, calls: int, seconds: float = HELD_SECONDS_MAX) -> None:
        """Return once `calls` more calls are waiting here."""
        for _ in range(calls):
            assert self._calls.acquire(timeout=seconds), f"fewer than {calls} calls came"

    def release(self) -> None:
        """Let every call go on, those to come included."""
        self._open.set()


class FakeBank:
    """Pays once per key and remembers everything; safe to share between threads."""

    provider = "razorpayx"

    def __init__(
        self,
        *,
        account: str = "2323230000000001",
        key_window: timedelta = timedelta(days=7),
        look_up_grace: timedelta = timedelta(minutes=5),
        index_lag: timedelta = timedelta(0),
    ) -> None:
        self.account = account
        self.key_window = key_window
        self.look_up_grace = look_up_grace
        self.index_lag = index_lag
        self.now = datetime.now(UTC)
        self.submits: list[Submit] = []
        self.transfers: list[Transfer] = []
        self.given_back: dict[str, datetime] = {}
        """When the money of a transfer came back, by its id."""
        self.reads = 0
        self.unreachable: str | None = None
        """Set it, and every read fails with this reason, and every send never leaves."""
        self.funds = 10**15
        """What the account can pay out; sends take nothing of it."""
        self.shown_max = 100
        """So many of those a `fetch` asks for are come to before its time is over."""
        self._answers: deque[Fault | Answer | None] = deque()
        self._sticky: set[str] = set()
        self._lock = threading.Lock()
        self._hold: Hold | None = None

    def __getstate__(self) -> dict[str, object]:
        """What a copy takes over: all but the lock and who waits."""
        return {n: v for n, v in self.__dict__.items() if n not in {"_lock", "_hold"}}

    def __setstate__(self, state: dict[str, object]) -> None:
        self.__dict__.update(state)
        self._lock, self._hold = threading.Lock(), None

    def script(self, *answers: Fault | Answer | None) -> None:
        """Order what the next sends meet: a fault, an answer that pays nothing, or None."""
        self._answers.extend(answers)

    @contextmanager
    def held(self) -> Iterator[Hold]:
        """Let every send wait, before anything is paid, until released or the block's end."""
        self._hold = hold = Hold()
        try:
            yield hold
        finally:
            self._hold = None
            hold.release()

    def advance(self, by: timedelta) -> None:
        """Move the bank's time ahead."""
        self.now += by

    def settle(self, reference: str, raw_status: str, utr: str | None = "000000000001") -> None:
        """Bring every transfer under `reference` to one of the provider's own words."""
        status = STATUSES.get(raw_status, ProviderStatus.UNRECOGNISED)

        def told(payout: ProviderPayout) -> ProviderPayout:
            return replace(payout, status=status, raw_status=raw_status, utr=utr)

        with self._lock:
            for one in self.transfers:
                if one.payout.reference == reference and status in BACK:
                    at = self.now.replace(microsecond=0)
                    self.given_back.setdefault(one.payout.provider_id, at)
            self.transfers = [
                replace(one, payout=told(one.payout)) if one.payout.reference == reference else one
                for one in self.transfers
            ]

    def finish(self) -> None:
        """Bring every transfer that is under way to its good end."""
        for one in list(self.transfers):
            if one.payout.status is ProviderStatus.UNDER_WAY and one.payout.reference:
                self.settle(one.payout.reference, "processed")

    def times_paid(self, reference: str) -> int:
        """Return how many transfers were made under `reference`."""
        return sum(one.payout.reference == reference for one in self.transfers)

    def freeze(self, order: PayoutOrder) -> str:
        return freeze(order, self.account)

    def submit(self, request: FrozenRequest) -> Answer:
        check_request(request, self.account)
        hold = self._hold
        if hold:
            hold.meet()
        with self._lock:
            if self.unreachable:
                return NotSent(reason=self.unreachable)
            self.submits.append(
                Submit(key=request.key, body=request.body, reference=request.reference)
            )
            ordered = self._answers.popleft() if self._answers else None
            return self._answer(request, ordered)

    def _answer(self, request: FrozenRequest, ordered: Fault | Answer | None) -> Answer:
        if ordered is not None and not isinstance(ordered, Fault):
            return ordered
        if request.key in self._sticky or ordered is Fault.STICKY_ERROR:
            self._sticky.add(request.key)
            return Unknown(reason="http 500")
        if ordered is not None and ordered in BEFORE:
            return INSTEAD.get(ordered, Unknown(reason=str(ordered)))
        paid = self._pay(request)
        if not isinstance(paid, Accepted) or ordered is None or ordered in HARMLESS:
            return paid
        return Unknown(reason=str(ordered), suspect=ordered in SUSPECT)

    def _pay(self, request: FrozenRequest) -> Answer:
        for one in reversed(self.transfers):
            if one.key == request.key and self.now < one.made_at + self.key_window:
                if one.body != request.body:
                    return Rejected(code="BAD_REQUEST_ERROR", reason="another body under the key")
                return Accepted(payout=one.payout)
        payout = ProviderPayout(
            provider_id=f"pout_{len(self.transfers) + 1:014d}",
            reference=request.reference,
            status=ProviderStatus.UNDER_WAY,
            raw_status="processing",
            amount_minor=request.amount_minor,
            currency=request.currency,
            fund_account_id=request.fund_account_id,
            utr=None,
            reason=None,
            created_at=self.now.replace(microsecond=0),
        )
        self.transfers.append(
            Transfer(key=request.key, body=request.body, made_at=self.now, payout=payout)
        )
        return Accepted(payout=payout)

    def find(self, reference: str) -> LookUp:
        with self._lock:
            self.reads += 1
            if self.unreachable:
                return LookUpFailed(reason=self.unreachable)
            return Found(
                payouts=tuple(
                    one.payout
                    for one in self.transfers
                    if one.payout.reference == reference
                    and one.made_at + self.index_lag <= self.now
                )
            )

    def fetch(self, sought: Sequence[Sought]) -> dict[str, Report]:
        with self._lock:
            self.reads += 1
            if self.unreachable:
                return {item.reference: LookUpFailed(reason=self.unreachable) for item in sought}
            known = {one.payout.provider_id: one.payout for one in self.transfers}
            reports: dict[str, Report] = {
                item.reference: known[item.provider_id]
                for item in sought
                if item.provider_id in known
            }
            late = [item.reference for item in sought[self.shown_max :]]
            return reports | dict.fromkeys(late, LookUpFailed(reason="no time was left"))

    def payouts_between(self, start: datetime, end: datetime) -> Iterator[ProviderPayout]:
        with self._lock:
            self.reads += 1
            made = [one.payout for one in self.transfers]
        yield from (payout for payout in made if start <= payout.created_at < end)

    def statement(self, start: datetime, end: datetime) -> Iterator[StatementLine]:
        """Each transfer's debit, and a credit for what was given back; whole seconds, as banks have them."""
        with self._lock:
            self.reads += 1
            if self.unreachable:
                raise UnreachableError(self.unreachable)
            moved = [(one.payout.created_at, Side.DEBIT, one.payout) for one in self.transfers]
            moved += [
                (self.given_back[one.payout.provider_id], Side.CREDIT, one.payout)
                for one in self.transfers
                if one.payout.provider_id in self.given_back
            ]
        balance = OPENING_BALANCE
        for number, (at, side, payout) in enumerate(sorted(moved, key=lambda move: move[0])):
            balance += payout.amount_minor if side is Side.CREDIT else -payout.amount_minor
            if start <= at < end:
                yield statement_line(number, at, side, payout, balance, self.account)

    def balance(self) -> Funds:
        with self._lock:
            if self.unreachable:
                return LookUpFailed(reason=self.unreachable)
            return Balance(available={"INR": self.funds})

    def check(self) -> LookUp:
        with self._lock:
            self.reads += 1
            return LookUpFailed(reason=self.unreachable) if self.unreachable else Found(payouts=())


def statement_line(
    number: int, at: datetime, side: Side, payout: ProviderPayout, balance: int, account: str
) -> StatementLine:
    """One line about a payout."""
    return StatementLine(
        line_id=f"txn_{number:014d}",
        account=account,
        occurred_at=at,
        side=side,
        amount_minor=payout.amount_minor,
        fee_minor=0,
        currency=payout.currency,
        balance_minor=balance,
        utr=payout.utr,
        source=Source.PAYOUT if side is Side.DEBIT else Source.REVERSAL,
        source_id=payout.provider_id,
    )


def check_request(request: FrozenRequest, account: str) -> None:
    """Assert the provider's rules of keys and bodies, and that the body says what its row says."""
    assert fits_key(request.key), f"the key {request.key!r} breaks the provider's rule"
    body = json.loads(request.body)
    assert body["account_number"] == account
    assert body["reference_id"] == request.reference
    assert len(request.reference) <= 40
    assert (body["amount"], body["currency"]) == (request.amount_minor, request.currency)
    assert body["fund_account_id"] == request.fund_account_id
    assert isinstance(body["amount"], int)
    assert body["amount"] >= 100
    assert fits_narration(body.get("narration", ""))
