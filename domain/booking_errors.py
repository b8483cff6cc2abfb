"""What an operation on bookings may refuse, each with the word other applications know it by."""

from typing import ClassVar

from domain.errors import NotFoundError, RefusedError


class UnknownError(NotFoundError):
    """There is no such thing, or it is somebody else's: nobody is told which."""

    code: ClassVar[str] = "NOT_FOUND"


class SoldOutError(RefusedError):
    """Fewer places are free than were asked for."""

    code: ClassVar[str] = "SOLD_OUT"


class TimeTakenError(RefusedError):
    """The consultant is busy, or about to be, at a time that was asked for."""

    code: ClassVar[str] = "TIME_TAKEN"


class NotPendingError(RefusedError):
    """The checkout is not under way any more, or its booking went on without it."""

    code: ClassVar[str] = "NOT_PENDING"


class NotOpenError(RefusedError):
    """What was asked for cannot be booked, moved or given up in the state it is in."""

    code: ClassVar[str] = "NOT_OPEN"


class KeyReusedError(RefusedError):
    """The same key came with another request before."""

    code: ClassVar[str] = "KEY_REUSED"


class TooLittleError(RefusedError):
    """A wallet or a credit holds less than was to be taken from it."""

    code: ClassVar[str] = "TOO_LITTLE"


class PlacesFreeError(RefusedError):
    """There is nothing to wait for: a place may be booked."""

    code: ClassVar[str] = "PLACES_FREE"


class WaitingAlreadyError(RefusedError):
    """The customer is in line already, or has an offer."""

    code: ClassVar[str] = "ALREADY_WAITING"
