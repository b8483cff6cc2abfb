"""Who lends how much of a mortgage, as an import file states it: positions, and reroutes from a day on."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from operator import attrgetter
from typing import Final

from domain.errors import BadInputError
from domain.line_rules import day_rule, units_rule
from domain.money import MINOR_MAX
from domain.records import LABEL_RULE, Records, faults, fits_label

FIELDS: Final = ("external_id", "mortgage", "lender", "units", "from_lender", "effective_on")
_LENDER, _FROM, _DAY = (FIELDS.index(name) for name in ("lender", "from_lender", "effective_on"))


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionLine:
    """One valid row: units that a lender has of a mortgage, or has of another lender's from a day on."""

    external_id: str
    mortgage: str
    lender: str
    """What other systems call the lender."""
    units: int
    from_lender: str | None = None
    """Whose they were; None: they are a position of the beginning."""
    effective_on: date | None = None

    @property
    def record(self) -> tuple[str, ...]:
        """The line as texts in the order of `FIELDS`, one spelling each."""
        day = "" if self.effective_on is None else self.effective_on.isoformat()
        return (
            self.external_id,
            self.mortgage,
            self.lender,
            str(self.units),
            self.from_lender or "",
            day,
        )

    @property
    def content_hash(self) -> str:
        """SHA-256 (64 hex digits) of what the line states, however its file spelled it."""
        return sha256("\n".join(self.record).encode()).hexdigest()


def parse_position(
    record: Sequence[str], file: str, row: int
) -> PositionLine | list[BadInputError]:
    """Read texts in the order of `FIELDS` as a line, or name every rule that they break."""
    if errors := faults(FIELDS, record, f"{file} row {row}", _rule):
        return errors
    external_id, mortgage, lender, units, from_lender, day = record
    return PositionLine(
        external_id=external_id,
        mortgage=mortgage,
        lender=lender,
        units=int(units),
        from_lender=from_lender or None,
        effective_on=date.fromisoformat(day) if day else None,
    )


def _rule(field: str, value: str, record: Sequence[str]) -> str | None:
    match field:
        case "units":
            return units_rule(value, MINOR_MAX)
        case "from_lender":
            if value == record[_LENDER]:
                return "must be another lender"
            return None if not value or fits_label(value) else LABEL_RULE
        case "effective_on":
            if bool(value) != bool(record[_FROM]):
                return "must be given where from_lender is, and only there"
            return day_rule(value) if value else None
        case _:
            return None if fits_label(value) else LABEL_RULE


POSITION_RECORDS: Final = Records(
    name="positions",
    fields=FIELDS,
    parse=parse_position,
    key=attrgetter("external_id"),
    key_field="external_id",
    amounts=frozenset(),
    optional=frozenset({"from_lender", "effective_on"}),
)
