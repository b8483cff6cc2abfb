"""What two people do to dispersals: have one paid once more that failed as often as one person may try."""

from typing import TYPE_CHECKING
from uuid import UUID

from db import subjects
from db.dispersals.family import DISPERSALS
from db.dispersals.retrying import retry
from domain.errors import BadInputError

if TYPE_CHECKING:
    from db.tx import Tx
    from workers.cli.actions import Agreed, Details


def dispersal_there(tx: "Tx", subject: str, details: "Details") -> None:
    """Check that a dispersal is named by its id."""
    if details:
        raise BadInputError("--set", dict(details), "this action takes no details")
    subjects.find(tx, [subject], [DISPERSALS])


def pay_again(tx: "Tx", agreed: "Agreed") -> str:
    """One more payout of a dispersal."""
    retry(tx, UUID(agreed.subject), actor=agreed.both, why=agreed.why, by_two=True)
    return f"dispersal {agreed.subject} is paid by a new payout"
