"""Sample payouts of a made-up marketplace: the same for the same seed, on every Python."""

import csv
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import Final, Protocol, TextIO

from domain.payout_lines import PayoutLine
from domain.payout_modes import Mode, mode_fault
from domain.payout_rules import CURRENCY, FIELDS

PAYEES: Final = 300
"""How many payees the marketplace has, however many payouts are asked for."""

_FIRST: Final = (
    "Aarav", "Aditi", "Ananya", "Arjun", "Bhavna", "Chetan", "Deepa", "Divya", "Farhan", "Gauri",
    "Harish", "Imran", "Ishita", "Jaya", "Kabir", "Kavya", "Lakshmi", "Manoj", "Meera", "Nikhil",
    "Nisha", "Omkar", "Pooja", "Priya", "Rahul", "Ravi", "Rohan", "Sana", "Tara", "Vikram",
)  # fmt: skip
_LAST: Final = (
    "Banerjee", "D'Souza", "Iyer", "Khan", "Menon", "Mukherjee", "Patel", "Rao", "Sharma", "Singh",
)  # fmt: skip
_PURPOSES: Final = (
    "payout", "payout", "payout", "payout", "salary", "vendor bill", "refund", "cashback",
)  # fmt: skip
_NARRATIONS: Final = ("", "", "", "", "Session fees", "Weekly settlement", "Class of week", "Order")
_MODES: Final = (None, None, None, None, Mode.IMPS, Mode.IMPS, Mode.NEFT, Mode.NEFT)
_ALPHABET: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"


@dataclass(frozen=True, slots=True, kw_only=True)
class SamplePayee:
    """Somebody who is paid."""

    name: str
    fund_account_id: str
    by_upi: bool


def sample_payouts(count: int, seed: int) -> Iterator[PayoutLine]:
    """Yield `count` valid payouts to about 300 payees; a longer sample begins with a shorter one.

    Amounts are bell-shaped on a logarithmic scale: from tens of rupees to lakhs, mostly thousands.
    """
    chance = Random(seed)  # noqa: S311 - a sample must be repeatable, nothing here is a secret
    payees = _payees(chance)
    for number in range(1, count + 1):
        yield _payout(f"PO-{seed}-{number:06d}", payees, chance.getrandbits(96))


class Written(Protocol):
    """A line as its file writes it."""

    @property
    def record(self) -> tuple[str, ...]:
        """Its texts in the order of its fields."""


def write_csv(lines: Iterable[Written], stream: TextIO, fields: Sequence[str] = FIELDS) -> None:
    """Write the header and one row per line, as an import reads them (UTF-8, line feeds)."""
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(fields)
    writer.writerows(line.record for line in lines)


def sample_people(seed: int) -> list[SamplePayee]:
    """The payees of the samples of a seed, whatever they are paid for."""
    return _payees(Random(seed))  # noqa: S311 - a sample must be repeatable, nothing here is a secret


def _payees(chance: Random) -> list[SamplePayee]:
    return [_payee(number, chance) for number in range(PAYEES)]


def _payee(number: int, chance: Random) -> SamplePayee:
    first, last = _FIRST[number % len(_FIRST)], _LAST[number // len(_FIRST)]
    token = "".join(_ALPHABET[chance.getrandbits(16) % len(_ALPHABET)] for _ in range(14))
    return SamplePayee(
        name=f"{first} {last}", fund_account_id=f"fa_{token}", by_upi=chance.getrandbits(3) == 0
    )


def _payout(external_id: str, payees: list[SamplePayee], bits: int) -> PayoutLine:
    """Make one payout from 96 random bits: 16 each for payee, octave and place in it, then more."""
    payee = payees[(bits & 0xFFFF) % PAYEES]
    octave = 1_000 << (bits >> 16 & 0xFFFF).bit_count()
    amount_minor = octave + (octave * (bits >> 32 & 0xFFFF) >> 16)
    mode = _MODES[bits >> 48 & 7]
    if payee.by_upi:
        amount_minor, mode = amount_minor >> 4 | 128, Mode.UPI
    elif mode_fault(Mode.RTGS, amount_minor) is None:
        mode = Mode.RTGS
    elif mode_fault(mode, amount_minor):
        mode = None
    narration = _NARRATIONS[bits >> 51 & 7]
    return PayoutLine(
        external_id=external_id,
        payee=payee.name,
        fund_account_id=payee.fund_account_id,
        amount_minor=amount_minor,
        currency=CURRENCY,
        mode=mode,
        purpose=_PURPOSES[bits >> 54 & 7],
        narration=f"{narration} {1 + (bits >> 57) % 52}" if narration else "",
    )
