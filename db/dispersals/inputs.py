"""What dispersals are calculated from, read for a set of obligations: positions and reroutes of their mortgages."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from db.obligations.facts import Obligation
from db.tx import Tx
from domain.allocation import Reroute
from domain.dispersals import Inputs

_POSITIONS: Final = sa.text("""
    SELECT mortgage, lender, units FROM positions WHERE mortgage = ANY(CAST(:mortgages AS uuid[]))""")
_REROUTES: Final = sa.text("""
    SELECT mortgage, from_lender, to_lender, units, effective_on, number
    FROM reroutes WHERE mortgage = ANY(CAST(:mortgages AS uuid[]))""")


def inputs_of(tx: Tx, obligations: Sequence[Obligation]) -> Mapping[UUID, Inputs]:
    """The inputs of each obligation, by its id, as they are now."""
    mortgages = list({one.mortgage for one in obligations})
    positions = defaultdict[UUID, dict[UUID, int]](dict)
    for row in tx.rows(_POSITIONS, mortgages=mortgages):
        positions[row.mortgage][row.lender] = row.units
    reroutes = defaultdict[UUID, list[Reroute]](list)
    for row in tx.rows(_REROUTES, mortgages=mortgages):
        reroutes[row.mortgage].append(
            Reroute(
                from_lender=row.from_lender,
                to_lender=row.to_lender,
                units=row.units,
                effective_on=row.effective_on,
                number=row.number,
            )
        )
    return {
        one.id: Inputs(
            received=one.received,
            settled_on=one.settled_on,
            kind=one.kind,
            method=one.method,
            principal=one.principal,
            fee_rate_ppm=one.fee_rate_ppm,
            frequency=one.frequency,
            positions=positions[one.mortgage],
            reroutes=reroutes[one.mortgage],
        )
        for one in obligations
    }


def snapshot(inputs: Inputs) -> dict[str, object]:
    """The inputs as they are kept beside what they gave."""
    return {
        "kind": inputs.kind,
        "method": inputs.method,
        "principal": inputs.principal,
        "fee_rate_ppm": inputs.fee_rate_ppm,
        "frequency": inputs.frequency,
        "positions": {str(lender): units for lender, units in inputs.positions.items()},
        "reroutes": [
            [str(one.from_lender), str(one.to_lender), one.units, one.effective_on.isoformat()]
            for one in inputs.reroutes
        ],
    }
