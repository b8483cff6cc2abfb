"""What an operation on refunds may refuse, each with the word other applications know it by."""

from typing import ClassVar

from domain.errors import BadInputError, NotFoundError, RefusedError


class PaymentNotFoundError(NotFoundError):
    """There is no such payment, or it is somebody else's: nobody is told which."""

    code: ClassVar[str] = "PAYMENT_NOT_FOUND"


class PaymentNotSucceededError(RefusedError):
    """Nothing of the payment was captured."""

    code: ClassVar[str] = "PAYMENT_NOT_SUCCEEDED"


class FullyRefundedError(RefusedError):
    """Nothing of the payment is left to be given back."""

    code: ClassVar[str] = "ALREADY_FULLY_REFUNDED"


class DisputedError(RefusedError):
    """A dispute about the payment is open: its bank decides."""

    code: ClassVar[str] = "REFUND_BLOCKED_BY_DISPUTE"


class NotTakenBackError(RefusedError):
    """Nobody was told that its gateway took the refund back: its customer has the money."""

    code: ClassVar[str] = "REFUND_NOT_TAKEN_BACK"


class ExceedsRefundableError(RefusedError):
    """Less of the payment is left than was asked for."""

    code: ClassVar[str] = "AMOUNT_EXCEEDS_REFUNDABLE"


class InvalidAmountError(BadInputError):
    """What is to be given back is not above zero."""

    code: ClassVar[str] = "INVALID_AMOUNT"
