"""States are data: an aggregate's legal moves, and the work each (state, effect outcome) calls for.

One frozen `Machine` per aggregate serves moves, audit, `bursar_move()` and `docs/states.md` alike.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final


class Guard(StrEnum):
    """What must be held to make a move."""

    LEASED = "leased"
    """A `LeasedTx`: the subject has a work row, and its token was compared in this transaction."""
    UNLEASED = "unleased"
    """CAS alone: a subject in the source state has no work row."""
    OPERATION = "operation"
    """CAS within the one operation that changes what belongs to it too (seats, money): by no door, and no lease."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """One legal change of state, what it needs, and when it happens."""

    source: str
    target: str
    guard: Guard
    when: str
    by_hand: bool = False
    """A move under a lease that `bursar_move` may make too, where no worker holds the subject."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """The one work row that a (state, newest effect outcome) calls for; `job` None means none."""

    state: str
    outcome: str | None
    job: str | None
    due: str
    variant: str | None = None
    """Of which subjects, where the work of one aggregate's subjects differs; None: of all."""


ANY_OUTCOME: Final = "*"
"""Stands, in the index of calls, for whatever the effect of a state listed without outcomes says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """The legal moves of one aggregate (`kind`, in `table`) and the work its states call for."""

    kind: str
    table: str
    initial: frozenset[str]
    moves: tuple[Move, ...]
    calls: tuple[Call, ...]
    says: str | None = None
    """The column in which a subject keeps, in words, what came of it; written as it moves."""
    dates: tuple[tuple[str, str], ...] = ()
    """(State, column) each: where a subject keeps when it last came into that state; written as it moves."""
    _index: dict[tuple[str, str | None, str | None], Call] = field(
        init=False, repr=False, compare=False
    )

    def __post_init__(self) -> None:
        index: dict[tuple[str, str | None, str | None], Call] = {
            (call.state, call.outcome, call.variant): call for call in self.calls
        }
        for call in self.calls:
            if {other.outcome for other in self.calls if other.state == call.state} == {None}:
                index[call.state, ANY_OUTCOME, call.variant] = call
        object.__setattr__(self, "_index", index)

    @property
    def states(self) -> frozenset[str]:
        """Every state that some move, call or creation names."""
        ends = {end for move in self.moves for end in (move.source, move.target)}
        return frozenset(ends | {call.state for call in self.calls} | self.initial)

    @property
    def jobs(self) -> frozenset[str]:
        """Every job that some state waits for."""
        return frozenset(call.job for call in self.calls if call.job is not None)

    def sources(self, target: str, guard: Guard) -> tuple[str, ...]:
        """States from which `target` may be reached under `guard`, in table order."""
        return tuple(m.source for m in self.moves if m.target == target and m.guard is guard)

    def call_for(self, state: str, outcome: str | None, variant: str | None = None) -> Call | None:
        """The work a subject in `state`, with its newest effect at `outcome`, must have.

        A state listed with no outcome alone calls for the same whatever its effect says; None means
        that the two do not fit: a person must look.
        """
        asked = [(which, of) for which in (outcome, ANY_OUTCOME) for of in (variant, None)]
        return next(
            (call for which, of in asked if (call := self._index.get((state, which, of)))), None
        )
