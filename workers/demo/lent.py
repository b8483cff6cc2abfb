"""What must hold of the mortgages at the end of the demo: shares are paid, suspense is empty, cash is reconciled."""

from collections.abc import Mapping
from typing import Final

from domain.dispersals import DISPERSALS, DispersalState
from domain.ledger import AccountKind
from domain.obligations import OBLIGATIONS, ObligationState
from workers.demo.lending import LENDERS, POISONED, WHOLE
from workers.demo.verdict import Promise

BACK: Final = POISONED - 1
"""Obligations whose money went back to whoever paid."""
EXPECTED: Final[Mapping[str, Mapping[str, int]]] = {
    OBLIGATIONS.table: {ObligationState.DISPERSED: WHOLE + 1, ObligationState.RETURNED: BACK},
    DISPERSALS.table: {DispersalState.DISBURSED: (WHOLE + 1) * len(LENDERS)},
}


def lent(seen: Mapping[str, Mapping[str, int]], books: Mapping[str, tuple[int, int]]) -> Promise:
    """Say whether every share was paid, nothing is owed to a lender, and suspense is empty.

    `seen` are obligations and dispersals by state; `books` are (debits, credits) by kind of account.
    """
    payable = books.get(AccountKind.LENDER_PAYABLE, (0, 0))
    apart = books.get(AccountKind.SUSPENSE, (0, 0))
    owed, left = payable[1] - payable[0], apart[0] - apart[1]
    fits = all(dict(seen.get(table, {})) == states for table, states in EXPECTED.items())
    return Promise(
        name="every lender has their shares, and nothing is left in suspense",
        holds=fits and owed == 0 and left == 0,
        detail=f"{_told(seen)}; owed to lenders {owed}, in suspense {left} minor units",
    )


def reconciled(offences: int | None) -> Promise:
    """Say whether the reconciliation of cash, run as it is each day, found nothing."""
    return Promise(
        name="the reconciliation of what borrowers paid finds nothing",
        holds=offences == 0,
        detail="it was not made" if offences is None else f"{offences} offences",
    )


def _told(seen: Mapping[str, Mapping[str, int]]) -> str:
    return "; ".join(
        f"{table} " + ", ".join(f"{state} {count}" for state, count in sorted(states.items()))
        for table, states in seen.items()
    )
