"""Take over who lends how much of which mortgage: positions, and reroutes from a day on."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from db.importing.fresh import fresh
from db.importing.order import ERRORS_MAX, Imported, Lines, Told
from db.obligations.mortgages import open_mortgages
from db.tx import Tx
from domain.errors import BadInputError
from domain.payout_ids import numbers
from domain.position_lines import FIELDS, PositionLine

_LOCK: Final = sa.text("""
    SELECT set_config('lock_timeout', '60s', true), pg_advisory_xact_lock(hashtextextended('bursar import positions', 0))""")
_THERE: Final = sa.text("""
    SELECT p.external_id, m.external_id AS mortgage, l.external_id AS lender, p.units, NULL AS from_lender,
           CAST(NULL AS date) AS effective_on
    FROM positions p JOIN mortgages m ON m.id = p.mortgage JOIN lenders l ON l.payee = p.lender
    WHERE p.external_id = ANY(CAST(:names AS text[]))
    UNION ALL
    SELECT r.external_id, m.external_id, l.external_id, r.units, f.external_id, r.effective_on
    FROM reroutes r JOIN mortgages m ON m.id = r.mortgage JOIN lenders l ON l.payee = r.to_lender
    JOIN lenders f ON f.payee = r.from_lender
    WHERE r.external_id = ANY(CAST(:names AS text[]))""")
_LENDERS: Final = sa.text("""
    SELECT external_id, payee FROM lenders WHERE external_id = ANY(CAST(:names AS text[]))""")
_HELD: Final = sa.text("""
    SELECT p.mortgage, p.lender, p.external_id
    FROM unnest(CAST(:mortgages AS uuid[]), CAST(:lenders AS uuid[])) AS g (mortgage, lender)
    JOIN positions p USING (mortgage, lender)""")
_POSITIONS: Final = sa.text("""
    INSERT INTO positions (mortgage, lender, units, external_id)
    SELECT * FROM unnest(CAST(:mortgages AS uuid[]), CAST(:lenders AS uuid[]), CAST(:units AS bigint[]), CAST(:names AS text[]))""")
_REROUTES: Final = sa.text("""
    INSERT INTO reroutes (external_id, mortgage, from_lender, to_lender, units, effective_on)
    SELECT name, mortgage, giver, taker, units, day
    FROM unnest(CAST(:names AS text[]), CAST(:mortgages AS uuid[]), CAST(:givers AS uuid[]), CAST(:takers AS uuid[]),
                CAST(:units AS bigint[]), CAST(:days AS date[]))
      WITH ORDINALITY AS g (name, mortgage, giver, taker, units, day, n) ORDER BY n""")


def take_over(
    tx: Tx,
    installation: UUID,
    order: Lines[PositionLine],
    *,
    told: Told = lambda _: None,
    dry_run: bool = False,
) -> Imported:
    """Import `order` in this transaction; with `dry_run` say what would be done, and write nothing.

    Reroutes are taken in the order of the file, where they are of one day. What was divided before stays.
    Raises `BadInputsError` for a lender nobody knows or who has a position there already, and as an import
    of payouts does.
    """
    tx.row(_LOCK)
    done = Imported()

    def there(part: Sequence[PositionLine]) -> dict[str, PositionLine]:
        rows = tx.rows(_THERE, names=[line.external_id for line in part])
        return {row.external_id: PositionLine(**row._asdict()) for row in rows}

    new = fresh(order, done, FIELDS, there, told)
    lenders = _lenders(tx, [line for _, line in new])
    good = _good(tx, installation, order, done, new, lenders)
    done.created = len(good)
    if good and not dry_run:
        _write(tx, installation, good, lenders)
    return done


def _lenders(tx: Tx, lines: Sequence[PositionLine]) -> dict[str, UUID]:
    names = {name for line in lines for name in (line.lender, line.from_lender) if name}
    return {row.external_id: row.payee for row in tx.rows(_LENDERS, names=list(names))}


def _good(
    tx: Tx,
    installation: UUID,
    order: Lines[PositionLine],
    done: Imported,
    new: Sequence[tuple[int, PositionLine]],
    lenders: dict[str, UUID],
) -> list[PositionLine]:
    """The new lines that name lenders there are, and one position of each in a mortgage."""
    held = _held(tx, installation, [line for _, line in new], lenders)
    good, errors = list[PositionLine](), list[BadInputError]()
    for at, line in new:
        wrong = [
            BadInputError(f"{order.place(at)} field {field}", name, "is no lender: import it first")
            for field, name in (("lender", line.lender), ("from_lender", line.from_lender))
            if name and name not in lenders
        ]
        if not wrong and line.from_lender is None:
            first = held.setdefault((line.mortgage, line.lender), line.external_id)
            if first != line.external_id:
                rule = f"has position {first} in {line.mortgage}: more of it is a reroute"
                wrong = [BadInputError(f"{order.place(at)} field lender", line.lender, rule)]
        errors += wrong
        if not wrong:
            good.append(line)
    done.blame(order, errors[:ERRORS_MAX], len(errors[ERRORS_MAX:]))
    return good


def _held(
    tx: Tx, installation: UUID, lines: Sequence[PositionLine], lenders: dict[str, UUID]
) -> dict[tuple[str, str], str]:
    """The external ids of positions that are there, by mortgage and lender as lines call them."""
    asked = [line for line in lines if line.from_lender is None and line.lender in lenders]
    mortgages = _mortgage_ids(installation, asked)
    pairs = {
        (mortgage, lenders[line.lender]): (line.mortgage, line.lender)
        for mortgage, line in zip(mortgages, asked, strict=True)
    }
    rows = tx.rows(
        _HELD, mortgages=[pair[0] for pair in pairs], lenders=[pair[1] for pair in pairs]
    )
    return {pairs[row.mortgage, row.lender]: row.external_id for row in rows}


def _mortgage_ids(installation: UUID, lines: Sequence[PositionLine]) -> list[UUID]:
    names = [line.mortgage for line in lines]
    return [UUID(int=number) for number in numbers(installation, "mortgage", names)]


def _write(
    tx: Tx, installation: UUID, lines: Sequence[PositionLine], lenders: dict[str, UUID]
) -> None:
    mortgages = open_mortgages(tx, installation, [line.mortgage for line in lines])
    positions = [line for line in lines if line.from_lender is None]
    reroutes = [(line, line.from_lender) for line in lines if line.from_lender is not None]
    if positions:
        tx.run(
            _POSITIONS,
            mortgages=[mortgages[line.mortgage] for line in positions],
            lenders=[lenders[line.lender] for line in positions],
            units=[line.units for line in positions],
            names=[line.external_id for line in positions],
        )
    if reroutes:
        tx.run(
            _REROUTES,
            names=[line.external_id for line, _ in reroutes],
            mortgages=[mortgages[line.mortgage] for line, _ in reroutes],
            givers=[lenders[giver] for _, giver in reroutes],
            takers=[lenders[line.lender] for line, _ in reroutes],
            units=[line.units for line, _ in reroutes],
            days=[line.effective_on for line, _ in reroutes],
        )
