"""Two kinds of error: Expected, which a caller must handle, and Broken, which pages somebody."""

from typing import ClassVar


class ExpectedError(Exception):
    """Something a correct system meets; the message tells the reader what to do next."""

    exit_code: ClassVar[int] = 1


class BadInputError(ExpectedError):
    """What was given breaks a rule: names the place, the value and the rule; nothing was written."""

    exit_code: ClassVar[int] = 2

    def __init__(self, place: str, value: object, rule: str) -> None:
        self.place, self.value, self.rule = place, value, rule
        super().__init__(f"{place}: {value!r}: {rule}")


class BadInputsError(ExpectedError):
    """Several places of one input break rules; each is named; nothing was written."""

    exit_code: ClassVar[int] = 2

    def __init__(self, errors: list[BadInputError], more: int = 0) -> None:
        self.errors, self.more = errors, more
        """`more` counts the errors beyond those that are named."""
        lines = [str(error) for error in errors] + ([f"and {more} more"] if more else [])
        super().__init__("\n".join(lines))


class NotFoundError(ExpectedError):
    """What was asked for does not exist."""

    exit_code: ClassVar[int] = 2


class BusyError(ExpectedError):
    """Somebody else holds what this needs right now; try again."""


class RefusedError(ExpectedError):
    """The state of things forbids this action; the message says why and what would allow it."""


class UnreachableError(ExpectedError):
    """A server this needs does not answer."""

    exit_code: ClassVar[int] = 3


class BrokenError(Exception):
    """An invariant fell. Never handled, always reported."""
