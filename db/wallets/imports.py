"""Credit wallets from lines: each external id once, in the books and nowhere else."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from db.importing.fresh import fresh
from db.importing.order import Imported, Lines, Told
from db.payees.opening import open_payees
from db.tx import Tx
from db.wallets.rows import Credit, credit_wallets, open_wallets
from domain.payout_ids import payee_id
from domain.wallet_lines import FIELDS, WalletLine
from domain.wallets import credit_key

_LOCK: Final = sa.text("""
    SELECT set_config('lock_timeout', '60s', true), pg_advisory_xact_lock(hashtextextended('bursar import wallets', 0))""")

_THERE: Final = sa.text("""
    SELECT e.key, y.name, p.amount, e.currency
    FROM unnest(CAST(:keys AS text[])) AS k (key)
    JOIN entries e USING (key)
    JOIN postings p ON p.entry = e.id
    JOIN wallets w ON w.account = p.credit
    JOIN payees y ON y.id = w.payee""")


def take_over(
    tx: Tx,
    installation: UUID,
    order: Lines[WalletLine],
    *,
    actor: str,
    told: Told = lambda _: None,
) -> Imported:
    """Import `order` in this transaction; raises `BadInputsError` as an import of payouts does.

    A payee nobody has told of is made, and is not paid before its account is known.
    """
    tx.row(_LOCK)
    done = Imported()
    new = _new(tx, order, done, told)
    names = sorted({(line.payee, line.currency) for line in new})
    open_payees(tx, installation, names)
    payees = {pair: (payee_id(installation, pair[0]), pair[1]) for pair in names}
    wallets = open_wallets(tx, payees.values())
    credit_wallets(
        tx,
        [
            Credit(
                reference=line.external_id,
                wallet=wallets[payees[line.payee, line.currency]],
                minor=line.amount_minor,
            )
            for line in new
        ],
        run=None,
        actor=actor,
    )
    return done


def look(tx: Tx, order: Lines[WalletLine], *, told: Told = lambda _: None) -> Imported:
    """Say what `take_over` would do, and write nothing. Raises the same errors."""
    done = Imported()
    _new(tx, order, done, told)
    return done


def _new(tx: Tx, order: Lines[WalletLine], done: Imported, told: Told) -> Sequence[WalletLine]:
    """The lines whose external id nothing was credited under; `done` is told of all."""
    new = [line for _, line in fresh(order, done, FIELDS, lambda part: _there(tx, part), told)]
    for line in new:
        done.amounts[line.currency] = done.amounts.get(line.currency, 0) + line.amount_minor
    return new


def _there(tx: Tx, lines: Sequence[WalletLine]) -> dict[str, WalletLine]:
    references = {credit_key(line.external_id): line.external_id for line in lines}
    return {
        references[row.key]: WalletLine(
            external_id=references[row.key],
            payee=row.name,
            amount_minor=row.amount,
            currency=row.currency,
        )
        for row in tx.rows(_THERE, keys=list(references))
    }
