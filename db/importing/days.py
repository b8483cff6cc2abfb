"""Lines that say when something happened: none may say a day that is still to come."""

from collections.abc import Callable, Sequence
from datetime import date
from typing import Final

from db.clock import latest_day
from db.importing.order import ERRORS_MAX, Imported, Lines, RecordT
from db.tx import Tx
from domain.errors import BadInputError

RULE: Final = "must not be after today"


def not_to_come(
    tx: Tx,
    order: Lines[RecordT],
    done: Imported,
    new: Sequence[tuple[int, RecordT]],
    field: str,
    day: Callable[[RecordT], date | None],
) -> list[tuple[int, RecordT]]:
    """The new lines, each with its index, whose `day` (in `field`) is none or not after today.

    Raises `BadInputsError` for the others, unless the order is partial.
    """
    today = latest_day(tx)
    good, errors = list[tuple[int, RecordT]](), list[BadInputError]()
    for at, line in new:
        said = day(line)
        if said is None or said <= today:
            good.append((at, line))
        else:
            errors.append(BadInputError(f"{order.place(at)} field {field}", said.isoformat(), RULE))
    done.blame(order, errors[:ERRORS_MAX], len(errors[ERRORS_MAX:]))
    done.created = len(good)
    return good
