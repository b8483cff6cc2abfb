"""One payout as another system left it: what was asked, where it is, what was withheld; read from a record of texts."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from hashlib import sha256
from operator import attrgetter
from typing import Final

from domain.calendar import REVERSAL_DAYS, add_working_days
from domain.effects import EffectState
from domain.errors import BadInputError
from domain.field_rules import moment_of, spelled
from domain.ledger import AccountKind
from domain.money import parse_major
from domain.opening_rules import (
    FIELDS,
    OF_REQUEST,
    TAX,
    Origin,
    generation_of,
    opening_faults,
    texts,
)
from domain.payout_lines import PayoutLine, parse_payout
from domain.payout_rules import Rules
from domain.payouts import PayoutState
from domain.records import Records
from domain.tax import CURRENCY
from domain.tax_periods import Period, period

_P: Final = PayoutState


@dataclass(frozen=True, slots=True, kw_only=True)
class OldTax:
    """What was withheld, in minor units: the sales behind it, what of them was taxed, at which rate, when."""

    gross_minor: int
    base_minor: int
    rate_bps: int
    tax_minor: int
    period: Period
    """That of its completion; of what is in flight, that of its submission."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpeningLine:
    """One valid row. `request` is what an import asks for; the rest is what the other system says of it."""

    request: PayoutLine
    state: PayoutState
    record: tuple[str, ...]
    """Its texts in the order of `FIELDS`; one spelling each."""
    generation: int = 1
    origin: Origin = Origin.IMPORT
    provider_id: str | None = None
    reference: str | None = None
    idempotency_key: str | None = None
    utr: str | None = None
    created_at: datetime | None = None
    submitted_at: datetime | None = None
    completed_at: datetime | None = None
    reason: str | None = None
    tax: OldTax | None = None

    @property
    def external_id(self) -> str:
        """What the other system calls it."""
        return self.request.external_id

    @property
    def payee(self) -> str:
        """The payee's name."""
        return self.request.payee

    @property
    def amount_minor(self) -> int:
        """What the payee is owed less by: what was sent, and what was withheld."""
        return self.request.amount_minor

    @property
    def currency(self) -> str:
        """Of the amount."""
        return self.request.currency

    @property
    def net_minor(self) -> int:
        """What was sent."""
        return self.amount_minor - (self.tax.tax_minor if self.tax else 0)

    @property
    def was_sent(self) -> bool:
        """Whether the provider may know of it."""
        return self.submitted_at is not None

    @property
    def effect_state(self) -> EffectState | None:
        """What is known of what was sent; None where nothing was."""
        if not self.was_sent:
            return None
        if self.provider_id is not None:
            return EffectState.ACCEPTED
        return EffectState.UNKNOWN if self.state is _P.PROCESSING else EffectState.REJECTED

    @property
    def is_withheld(self) -> bool:
        """Whether it is known what was withheld: of what was sent, and made of earnings; be it nothing."""
        went = self.state in {_P.PROCESSING, _P.COMPLETED, _P.REVERSED}
        return went and self.origin is Origin.EARNINGS

    @property
    def opens(self) -> tuple[AccountKind, int] | None:
        """What it opens in the books, in minor units; None for what left nothing.

        Of what was made of earnings the debt is theirs, until it is on its way.
        """
        match self.state:
            case _P.PROCESSING:
                return AccountKind.PAYOUTS_IN_TRANSIT, self.amount_minor
            case _P.COMPLETED if self.tax and self.tax.tax_minor:
                return AccountKind.TDS_PAYABLE, self.tax.tax_minor
            case _P.PENDING | _P.APPROVED | _P.FAILED if self.origin is Origin.IMPORT:
                return AccountKind.PAYEE_PAYABLE, self.amount_minor
            case _:
                return None

    def waits(self, now: datetime) -> bool:
        """Whether a job has anything to ask about it: of what was paid, while it may still be given back."""
        if self.state is _P.COMPLETED and self.completed_at is not None:
            return now < add_working_days(self.completed_at, REVERSAL_DAYS)
        return self.state is _P.PROCESSING

    @property
    def label(self) -> str:
        """The state the other system had it in."""
        return self.state

    @property
    def content_hash(self) -> str:
        """SHA-256 (64 hex digits) of what the line states; never that of a line to be paid."""
        return sha256(f"taken over\n{json.dumps(self.record)}".encode()).hexdigest()


def parse_opening(
    record: Sequence[str], file: str, row: int, rules: Rules, as_of: datetime
) -> OpeningLine | list[BadInputError]:
    """Read texts in the order of `FIELDS` as a line, or name every rule that they break.

    Nothing may have happened after `as_of`, for which the file speaks.
    """
    request = parse_payout(record[:OF_REQUEST], file, row, rules)
    errors = opening_faults(record, f"{file} row {row}", as_of)
    if isinstance(request, list):
        return [*request, *errors]
    return errors or _line(request, dict(zip(FIELDS, record, strict=True)))


def _line(request: PayoutLine, said: dict[str, str]) -> OpeningLine:
    moments = {
        name: moment_of(said[name]) for name in ("created_at", "submitted_at", "completed_at")
    }
    state, origin = PayoutState(said["state"]), Origin(said["source"] or Origin.IMPORT)
    told = {name: spelled(at) for name, at in moments.items()}
    told |= {"source": origin.value, "generation": str(generation_of(said["generation"]))}
    return OpeningLine(
        request=request,
        state=state,
        generation=generation_of(said["generation"]),
        origin=origin,
        provider_id=said["provider_id"] or None,
        reference=said["reference"] or None,
        idempotency_key=said["idempotency_key"] or None,
        utr=said["utr"] or None,
        reason=said["reason"] or None,
        tax=_tax(said, moments["completed_at"] or moments["submitted_at"]),
        record=(*request.record, *texts(said | told, request.currency)),
        created_at=moments["created_at"],
        submitted_at=moments["submitted_at"],
        completed_at=moments["completed_at"],
    )


def _tax(said: dict[str, str], at: datetime | None) -> OldTax | None:
    if at is None or not said["tds_financial_year"]:
        return None
    gross, base, tax = (parse_major(said[name], CURRENCY, name) for name in TAX[:3])
    return OldTax(
        gross_minor=gross,
        base_minor=base,
        tax_minor=tax,
        rate_bps=int(said["tds_rate_bps"]),
        period=period(at),
    )


def opening_records(rules: Callable[[], Rules], as_of: datetime) -> Records[OpeningLine]:
    """A file of payouts that another system made, by the rules of a provider, as they were at `as_of`."""
    known = cache(rules)
    required: Final = {"external_id", "payee", "fund_account_id", "amount", "currency", "purpose"}
    return Records(
        name="payouts of another system",
        fields=FIELDS,
        parse=lambda record, file, row: parse_opening(record, file, row, known(), as_of),
        key=attrgetter("external_id"),
        key_field="external_id",
        amounts=frozenset({"amount", *TAX[:3]}),
        optional=frozenset(FIELDS) - required - {"state"},
    )
