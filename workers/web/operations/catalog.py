"""Every operation there is, of every family."""

from difflib import get_close_matches
from typing import Final

from domain.errors import BadInputError
from workers.web.operations import bookings, refunds, waitlist, wishes
from workers.web.operations.shapes import AnyOperation

ALL: Final[tuple[AnyOperation, ...]] = (
    *bookings.OPERATIONS,
    *wishes.OPERATIONS,
    *waitlist.OPERATIONS,
    *refunds.OPERATIONS,
)


def known(name: str, place: str) -> AnyOperation:
    """The operation of this name. Raises `BadInputError`: a typing error must not read as 'nothing'."""
    named = {operation.name: operation for operation in ALL}
    if name not in named:
        near = get_close_matches(name, named, n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise BadInputError(place, name, f"must be one of {', '.join(named)}{hint}")
    return named[name]
