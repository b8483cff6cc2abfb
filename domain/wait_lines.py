"""Who waits for a place, as import files state it: who joins here, or the lines of another system."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from typing import Final

from domain import field_rules as rules
from domain.errors import BadInputError
from domain.records import Records
from domain.waitlist import PRIORITY_MAX, WaitState


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitLine:
    """One valid row; appointment, customer and booking by their external ids."""

    external_id: str
    appointment: str
    customer: str
    priority: int
    joined_at: datetime | None
    state: WaitState
    expires_at: datetime | None
    booking: str | None
    """The booking that took its place."""
    record: tuple[str, ...]
    """Its texts in the order of its fields; one spelling each."""

    @property
    def label(self) -> str:
        """The state it was in."""
        return self.state


_W: Final = WaitState
_OF_WAIT: Final[dict[str, rules.Check]] = {
    "external_id": rules.label,
    "appointment": rules.label,
    "customer": rules.label,
    "priority": rules.optional(rules.number(0, PRIORITY_MAX)),
    "joined_at": rules.optional(rules.moment),
    "state": rules.optional(rules.one_of(*WaitState)),
    "expires_at": rules.optional(rules.moment),
    "booking": rules.optional(rules.label),
}
_ELSEWHERE: Final = dict.fromkeys(tuple(_OF_WAIT)[4:], "") | {"state": _W.WAITING}
"""What only another system can say, and what each is where nobody did."""
_ENDS: Final = frozenset({_W.NOTIFIED, _W.REMINDED, _W.EXPIRED})


def parse_wait(
    record: Sequence[str], file: str, row: int, as_of: datetime | None
) -> WaitLine | list[BadInputError]:
    """Read texts in the order of its fields as a line, or name every rule that they break."""
    place = f"{file} row {row}"
    if errors := rules.broken(_OF_WAIT, record, place):
        return errors
    said = dict(zip(_OF_WAIT, record, strict=True))
    found = rules.asked_here(said, _ELSEWHERE) if as_of is None else _of_wait(said, as_of)
    if found:
        return [BadInputError(f"{place} field {field}", said[field], rule) for field, rule in found]
    state, priority = WaitState(said["state"] or _W.WAITING), int(said["priority"] or 0)
    joined_at, expires_at = (rules.moment_of(said[name]) for name in ("joined_at", "expires_at"))
    told = said | {
        "priority": str(priority),
        "joined_at": rules.spelled(joined_at),
        "state": state.value,
        "expires_at": rules.spelled(expires_at),
    }
    return WaitLine(
        external_id=said["external_id"],
        appointment=said["appointment"],
        customer=said["customer"],
        priority=priority,
        joined_at=joined_at,
        state=state,
        expires_at=expires_at,
        booking=said["booking"] or None,
        record=tuple(told.values()),
    )


def _of_wait(said: Mapping[str, str], as_of: datetime) -> list[rules.Broken]:
    found = rules.past(said, ("joined_at",), as_of)
    if not said["joined_at"]:
        found.append(("joined_at", "must be given with --as-of: the line is in that order"))
    if not said["state"]:
        return [*found, ("state", "must be given with --as-of")]
    state = WaitState(said["state"])
    if state in _ENDS and not said["expires_at"]:
        found.append(("expires_at", f"must be given for an entry that is {state}"))
    if state in {_W.WAITING, _W.SKIPPED} and said["expires_at"]:
        found.append(("expires_at", f"must be empty: what is {state} was offered nothing"))
    if state is _W.EXPIRED:
        found += rules.past(said, ("expires_at",), as_of)
    if (state is _W.BOOKED) != bool(said["booking"]):
        found.append(("booking", "must be given for an entry that is BOOKED, and for no other"))
    return found


_KEY: Final[Callable[[object], str]] = attrgetter("external_id")


def wait_records(as_of: datetime | None) -> Records[WaitLine]:
    """A file of who waits: who joins here, or (`as_of`) the lines of another system."""
    return Records(
        name="entries of the waitlist",
        fields=tuple(_OF_WAIT),
        parse=lambda record, file, row: parse_wait(record, file, row, as_of),
        key=_KEY,
        key_field="external_id",
        amounts=frozenset(),
        optional=frozenset(_OF_WAIT) - {"external_id", "appointment", "customer"},
    )
