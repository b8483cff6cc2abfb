"""One lender as an import file states it: a payee who lends."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from operator import attrgetter
from typing import Final

from domain.errors import BadInputError
from domain.records import LABEL_RULE, Records, faults, fits_label

FIELDS: Final = ("external_id", "payee")


@dataclass(frozen=True, slots=True, kw_only=True)
class LenderLine:
    """One valid row: what another system calls a lender, and the payee that is paid for it."""

    external_id: str
    payee: str

    @property
    def record(self) -> tuple[str, ...]:
        """The line as texts in the order of `FIELDS`."""
        return (self.external_id, self.payee)

    @property
    def content_hash(self) -> str:
        """SHA-256 (64 hex digits) of what the line states, however its file spelled it."""
        return sha256("\n".join(self.record).encode()).hexdigest()


def parse_lender(record: Sequence[str], file: str, row: int) -> LenderLine | list[BadInputError]:
    """Read texts in the order of `FIELDS` as a line, or name every rule that they break."""
    if errors := faults(FIELDS, record, f"{file} row {row}", _rule):
        return errors
    external_id, payee = record
    return LenderLine(external_id=external_id, payee=payee)


def _rule(_field: str, value: str, _record: Sequence[str]) -> str | None:
    return None if fits_label(value) else LABEL_RULE


LENDER_RECORDS: Final = Records(
    name="lenders",
    fields=FIELDS,
    parse=parse_lender,
    key=attrgetter("external_id"),
    key_field="external_id",
    amounts=frozenset(),
)
