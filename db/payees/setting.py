"""What operators say of a payee after it was taken over: each word kept with who said it, and why."""

from collections.abc import Mapping
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from db import changes
from db.payees.imports import lock_imports
from db.tx import Tx

_ADDRESS: Final = sa.text("""
    UPDATE payees SET email = :email, updated_at = clock_timestamp() WHERE id = :id""")


def set_address(tx: Tx, payee: UUID, email: str | None, *, actor: str, why: str) -> None:
    """Say where a payee is told of payouts; None: nowhere. Its caller has found the payee."""
    tx.run(_ADDRESS, id=payee, email=email)
    changes.note(tx, "payee.set", [str(payee)], who=actor, why=why)


_RESIDENCE: Final = sa.text("""
    UPDATE payees SET resident = :resident, updated_at = clock_timestamp() WHERE id = :id""")
RESIDENCE: Final[Mapping[bool, str]] = {True: "resident", False: "non-resident"}


def set_residence(tx: Tx, payee: UUID, *, resident: bool, actor: str, why: str) -> None:
    """Say whether a payee is a resident of India: who is not is paid by hand."""
    lock_imports(tx)
    tx.run(_RESIDENCE, id=payee, resident=resident)
    changes.note(tx, f"payee.{RESIDENCE[resident]}", [str(payee)], who=actor, why=why)
