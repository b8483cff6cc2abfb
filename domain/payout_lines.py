"""One payout as an import file asks for it, read from a record of texts."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from operator import attrgetter

from domain.errors import BadInputError, BrokenError
from domain.money import format_major, parse_major
from domain.payout_modes import Mode
from domain.payout_rules import FIELDS, Rules, faults, fits_narration, fits_purpose
from domain.records import Records, fits_label


@dataclass(frozen=True, slots=True, kw_only=True)
class PayoutLine:
    """One valid row. Amount in minor units; `mode` None means a rule chooses it at approval."""

    external_id: str
    payee: str
    fund_account_id: str
    amount_minor: int
    currency: str
    mode: Mode | None
    purpose: str
    narration: str

    @property
    def label(self) -> str:
        """A file's lines are not told apart."""
        return ""

    @property
    def record(self) -> tuple[str, ...]:
        """The line as texts in the order of `FIELDS`, amount in major units; one spelling each."""
        return (
            self.external_id,
            self.payee,
            self.fund_account_id,
            format_major(self.amount_minor, self.currency),
            self.currency,
            self.mode or "",
            self.purpose,
            self.narration,
        )

    @property
    def content_hash(self) -> str:
        """SHA-256 (64 hex digits) of what the line asks for, however its file spelled it.

        `1250.5` and `1250.50` are the same content. No field can hold a line feed, so the joined
        text stands for one line only.
        """
        text = (
            f"{self.external_id}\n{self.payee}\n{self.fund_account_id}\n{self.amount_minor}\n"
            f"{self.currency}\n{self.mode or ''}\n{self.purpose}\n{self.narration}"
        )
        return sha256(text.encode()).hexdigest()


def parse_payout(
    record: Sequence[str], file: str, row: int, rules: Rules
) -> PayoutLine | list[BadInputError]:
    """Read texts in the order of `FIELDS` as a line, or name every one of `rules` that they break.

    `file` and `row` (the line an editor shows) are named in errors: "FILE row N field F".
    """
    if line := _fitting(record, rules):
        return line
    errors = faults(record, f"{file} row {row}", rules)
    if not errors:
        raise BrokenError(f"{file} row {row} fits no rule and breaks none: {record!r}")
    return errors


def _fitting(record: Sequence[str], rules: Rules) -> PayoutLine | None:
    """Read the record where every field fits. The fast path: no message is made here."""
    external_id, payee, fund_account_id, amount, currency, mode_text, purpose, narration = record
    if not (
        fits_label(external_id)
        and fits_label(payee)
        and rules.fits_fund_account(fund_account_id)
        and currency in rules.currencies
        and mode_text in rules.modes
        and fits_purpose(purpose)
        and fits_narration(narration)
    ):
        return None
    try:
        amount_minor = parse_major(amount, currency, "amount")
    except BadInputError:
        return None
    mode = rules.modes[mode_text]
    if rules.amount_fault(mode, amount_minor):
        return None
    return PayoutLine(
        external_id=external_id,
        payee=payee,
        fund_account_id=fund_account_id,
        amount_minor=amount_minor,
        currency=currency,
        mode=mode,
        purpose=purpose,
        narration=narration,
    )


def payout_records(rules: Callable[[], Rules]) -> Records[PayoutLine]:
    """A file of payouts by the rules of a provider, which are asked for with the first record and then kept."""
    known = cache(rules)
    return Records(
        name="payouts",
        fields=FIELDS,
        parse=lambda record, file, row: parse_payout(record, file, row, known()),
        key=attrgetter("external_id"),
        key_field="external_id",
        optional=frozenset({"mode", "narration"}),
    )
