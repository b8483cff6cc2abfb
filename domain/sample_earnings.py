"""Sample earnings and payees of a made-up marketplace: the same for the same seed, on every Python."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Final

from domain.earning_lines import EarningLine
from domain.earnings import EarningKind
from domain.payee_lines import PayeeLine
from domain.payout_rules import CURRENCY
from domain.samples import PAYEES, SamplePayee, sample_people

_KINDS: Final = (
    *(EarningKind.CONSULTATION,) * 4, EarningKind.CLASS, EarningKind.WEBINAR, EarningKind.WEBINAR,
    EarningKind.SUBSCRIPTION,
)  # fmt: skip
_CLASSES: Final = ("individual", "individual", "individual", "huf", "company", "firm", "unknown")
_FIRST_DAY: Final = datetime(2026, 1, 5, tzinfo=UTC)
_MINUTES: Final = 7 * 24 * 60
_SHARE_PERCENT: Final = 80
"""Of what customers pay; the rest is the marketplace's."""


def sample_earnings(count: int, seed: int) -> Iterator[EarningLine]:
    """Yield `count` valid earnings of about 300 payees; a longer sample begins with a shorter one.

    They were earned in the first week of 2026: whoever imports them later finds every hold over.
    """
    chance, payees = Random(seed), sample_people(seed)  # noqa: S311 - a sample must be repeatable
    for number in range(1, count + 1):
        yield _earning(f"EA-{seed}-{number:06d}", payees, chance.getrandbits(80))


def sample_payees(seed: int) -> Iterator[PayeeLine]:
    """Yield the payees of `sample_earnings`: most can be paid, one in twenty has an account nobody has verified."""
    for number, payee in enumerate(sample_people(seed)):
        tax_class = _CLASSES[number % len(_CLASSES)]
        yield PayeeLine(
            name=payee.name,
            fund_account_id=payee.fund_account_id,
            kind="organisation" if tax_class in {"company", "firm"} else "person",
            tax_class=tax_class,
            has_pan=number % 10 != 0,
            resident=True,
            verified=number % 20 != 0,
            default=True,
        )


def _earning(external_id: str, payees: list[SamplePayee], bits: int) -> EarningLine:
    """Make one earning from 80 random bits: 16 each for payee, octave, place in it and minute, then its kind."""
    octave = 2_500 << (bits >> 16 & 0x3FF).bit_count()
    gross_minor = octave + (octave * (bits >> 32 & 0xFFFF) >> 16)
    minutes = (bits >> 48 & 0xFFFF) * _MINUTES >> 16
    return EarningLine(
        external_id=external_id,
        payee=payees[(bits & 0xFFFF) % PAYEES].name,
        kind=_KINDS[bits >> 64 & 7],
        gross_minor=gross_minor,
        amount_minor=gross_minor * _SHARE_PERCENT // 100,
        currency=CURRENCY,
        earned_at=_FIRST_DAY + timedelta(minutes=minutes),
    )
