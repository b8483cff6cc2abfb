"""Take over lenders from lines: each is a payee, under the name another system has for the lender."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from db.importing.fresh import fresh
from db.importing.order import ERRORS_MAX, Imported, Lines, Told
from db.payees.opening import open_payees
from db.tx import Tx
from domain.errors import BadInputError
from domain.lender_lines import FIELDS, LenderLine
from domain.payout_ids import payee_id
from domain.payout_rules import CURRENCY

_LOCK: Final = sa.text("""
    SELECT set_config('lock_timeout', '60s', true), pg_advisory_xact_lock(hashtextextended('bursar import lenders', 0))""")
_THERE: Final = sa.text("""
    SELECT l.external_id, y.name FROM lenders l JOIN payees y ON y.id = l.payee
    WHERE l.external_id = ANY(CAST(:names AS text[]))""")
_TAKEN: Final = sa.text("""
    SELECT l.external_id, y.name FROM lenders l JOIN payees y ON y.id = l.payee WHERE y.name = ANY(CAST(:payees AS text[]))""")
_INSERT: Final = sa.text("""
    INSERT INTO lenders (payee, external_id)
    SELECT * FROM unnest(CAST(:payees AS uuid[]), CAST(:names AS text[])) AS g (payee, name) ORDER BY payee""")


def take_over(
    tx: Tx,
    installation: UUID,
    order: Lines[LenderLine],
    *,
    told: Told = lambda _: None,
    dry_run: bool = False,
) -> Imported:
    """Import `order` in this transaction; with `dry_run` say what would be done, and write nothing.

    A payee nobody has told of is made, and is not paid before its account is known. Raises `BadInputsError`
    for a payee who is another lender already, and as an import of payouts does.
    """
    tx.row(_LOCK)
    done = Imported()
    good = _unclaimed(tx, order, done, told)
    done.created = len(good)
    if good and not dry_run:
        open_payees(tx, installation, [(line.payee, CURRENCY) for line in good])
        payees = [payee_id(installation, line.payee) for line in good]
        tx.run(_INSERT, payees=payees, names=[line.external_id for line in good])
    return done


def _unclaimed(
    tx: Tx, order: Lines[LenderLine], done: Imported, told: Told
) -> Sequence[LenderLine]:
    """The new lines whose payee is no other lender."""

    def there(part: Sequence[LenderLine]) -> dict[str, LenderLine]:
        rows = tx.rows(_THERE, names=[line.external_id for line in part])
        return {r.external_id: LenderLine(external_id=r.external_id, payee=r.name) for r in rows}

    new = fresh(order, done, FIELDS, there, told)
    names = list({line.payee for _, line in new})
    owners = {row.name: row.external_id for row in tx.rows(_TAKEN, payees=names)}
    good, errors = list[LenderLine](), list[BadInputError]()
    for at, line in new:
        owner = owners.setdefault(line.payee, line.external_id)
        if owner == line.external_id:
            good.append(line)
        else:
            rule = f"is lender {owner} already: a payee is one lender"
            errors.append(BadInputError(f"{order.place(at)} field payee", line.payee, rule))
    done.blame(order, errors[:ERRORS_MAX], len(errors[ERRORS_MAX:]))
    return good
