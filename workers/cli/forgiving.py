"""What two people do to obligations: ask for no more of one, or say that a receipt was none."""

from typing import TYPE_CHECKING
from uuid import UUID

from db import subjects
from db.obligations import forgive, reverse
from db.obligations.family import OBLIGATIONS
from db.obligations.forgive import WAIVED, WRITTEN_OFF, Forgiving
from domain.errors import BadInputError
from workers.cli.asking import subject as id_of

if TYPE_CHECKING:
    from db.tx import Tx
    from workers.cli.actions import Agreed, Details


def obligation_there(tx: "Tx", subject: str, details: "Details") -> None:
    """Check that an obligation is named by its id, so that two people mean the same."""
    _none(details)
    id_ = subjects.find(tx, [subject], [OBLIGATIONS])[subject]
    if str(id_) != subject:
        raise BadInputError("obligation", subject, f"must be the obligation's id, {id_}")


def receipt_there(tx: "Tx", subject: str, details: "Details") -> None:
    """Check that a receipt is there."""
    _none(details)
    id_ = id_of(subject, "receipt")
    if not reverse.is_there(tx, id_):
        raise BadInputError("receipt", subject, "must be the id of a receipt")


def waive(tx: "Tx", agreed: "Agreed") -> str:
    """What is open of an obligation is waived."""
    return _forgive(tx, agreed, WAIVED)


def write_off(tx: "Tx", agreed: "Agreed") -> str:
    """What is open of an obligation is written off."""
    return _forgive(tx, agreed, WRITTEN_OFF)


def _forgive(tx: "Tx", agreed: "Agreed", way: Forgiving) -> str:
    forgive.forgive(tx, [UUID(agreed.subject)], way, actor=agreed.both, why=agreed.why)
    return f"nothing more is asked for obligation {agreed.subject}"


def undo(tx: "Tx", agreed: "Agreed") -> str:
    """A receipt was none: what came of it is undone."""
    reverse.reverse(tx, [UUID(agreed.subject)], actor=agreed.both, why=agreed.why)
    return f"receipt {agreed.subject} is reversed"


def _none(details: "Details") -> None:
    if details:
        raise BadInputError("--set", dict(details), "this action takes no details")
