"""The calculation behind a dispersal, as it was made: what was received, how it was divided, from what, among whom."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from db.tx import Row, Tx

_RUN: Final = sa.text("""
    SELECT c.obligation, o.external_id AS obligation_name, m.external_id AS mortgage_name, c.generation, o.currency, c.received AS received_minor,
           c.fee_due AS fee_due_minor, c.fee_applied AS fee_applied_minor, c.fee_due - c.fee_applied AS fee_receivable_minor,
           c.distributable AS distributable_minor, c.shares, c.settled_on, c.eligible_on, c.run, c.created_at AS calculated_at
    FROM dispersals d
    JOIN calculation_runs c ON c.obligation = d.obligation AND c.generation = d.generation
    JOIN obligations o ON o.id = c.obligation
    JOIN mortgages m ON m.id = o.mortgage
    WHERE d.id = :id""")
_INPUTS: Final = sa.text("""
    SELECT c.inputs FROM dispersals d
    JOIN calculation_runs c ON c.obligation = d.obligation AND c.generation = d.generation WHERE d.id = :id""")
_SHARES: Final = sa.text("""
    SELECT l.external_id AS lender_name, s.amount AS amount_minor, s.currency, s.state, s.eligible_on, s.lender, s.id
    FROM dispersals d
    JOIN dispersals s ON s.obligation = d.obligation AND s.generation = d.generation
    JOIN lenders l ON l.payee = s.lender
    WHERE d.id = :id ORDER BY s.lender""")
_LENDERS: Final = sa.text("""
    SELECT payee, external_id FROM lenders WHERE payee = ANY(CAST(:lenders AS uuid[]))""")


@dataclass(frozen=True, slots=True, kw_only=True)
class CalculationShown:
    """A calculation run, in words of people: amounts in minor units."""

    run: Row
    terms: dict[str, object]
    """Kind of obligation, method of collection, principal, rate, frequency: as they were."""
    positions: list[dict[str, object]]
    """Units by lender, before reroutes, in the order of the lenders' ids."""
    reroutes: list[dict[str, object]]
    shares: Sequence[Row]


def behind(tx: Tx, dispersal: UUID) -> CalculationShown:
    """The calculation of which a dispersal is a share; it is there, by a foreign key."""
    run, inputs = tx.row(_RUN, id=dispersal), dict(tx.scalar(_INPUTS, id=dispersal))
    assert run is not None
    positions, reroutes = inputs.pop("positions"), inputs.pop("reroutes")
    inputs["principal_minor"] = inputs.pop("principal")
    asked = [*positions, *(lender for giver, taker, *_ in reroutes for lender in (giver, taker))]
    names = {str(row.payee): row.external_id for row in tx.rows(_LENDERS, lenders=asked)}
    return CalculationShown(
        run=run,
        terms=inputs,
        positions=[
            {"lender_name": names[lender], "units": positions[lender], "lender": lender}
            for lender in sorted(positions)
        ],
        reroutes=[
            {
                "effective_on": day,
                "from_lender": names[giver],
                "to_lender": names[taker],
                "units": units,
            }
            for giver, taker, units, day in reroutes
        ],
        shares=tx.rows(_SHARES, id=dispersal),
    )
