"""Shares of an amount by units: exact integers, the largest remainder, the same for any order of the input."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from domain.errors import RefusedError


@dataclass(frozen=True, slots=True, kw_only=True)
class Reroute:
    """Units of one lender that are another's from a day on; `number` is the order in which they were told."""

    from_lender: UUID
    to_lender: UUID
    units: int
    effective_on: date
    number: int


def allocate(amount: int, units: Mapping[UUID, int]) -> dict[UUID, int]:
    """Divide `amount` (minor units, of any size) by `units`; adds up to it exactly.

    Each has the floor of their part. What is left goes one by one to the largest remainders; of equal
    ones first to whoever has more units, then to the smaller id.
    """
    whole = sum(units.values())
    if amount < 0 or whole <= 0 or min(units.values()) < 0:
        raise AssertionError(f"{amount} cannot be divided by {whole} units")
    shares, remainders = dict[UUID, int](), dict[UUID, int]()
    for lender, own in units.items():
        shares[lender], remainders[lender] = divmod(amount * own, whole)
    first = sorted(units, key=lambda lender: (-remainders[lender], -units[lender], lender))
    for lender in first[: amount - sum(shares.values())]:
        shares[lender] += 1
    return shares


def rerouted(
    positions: Mapping[UUID, int], reroutes: Iterable[Reroute], on: date
) -> dict[UUID, int]:
    """Units by lender on a day: positions, and every reroute that is effective by then; none of zero are left.

    Reroutes are taken by day, then by number. Raises `RefusedError` for one that takes more than its
    lender has.
    """
    held = dict(positions)
    for one in in_order(reroutes):
        if one.effective_on > on:
            break
        left = held.get(one.from_lender, 0) - one.units
        if left < 0:
            raise RefusedError(
                f"reroute {one.number} of {one.effective_on} takes {one.units} units of lender "
                f"{one.from_lender}, who has {left + one.units}"
            )
        held[one.from_lender] = left
        held[one.to_lender] = held.get(one.to_lender, 0) + one.units
    return {lender: units for lender, units in held.items() if units}


def in_order(reroutes: Iterable[Reroute]) -> Sequence[Reroute]:
    """Reroutes by day, then by number."""
    return sorted(reroutes, key=lambda one: (one.effective_on, one.number))
