"""What is wrong with a request, and whose fault it is, in RazorpayX's words."""

from dataclasses import dataclass
from typing import Final

from starlette.responses import JSONResponse


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """The provider's error body and status."""

    description: str
    status: int = 400
    code: str = "BAD_REQUEST_ERROR"
    reason: str = "input_validation_failed"
    source: str = "business"
    field: str | None = None
    retry_after: str | None = None

    @property
    def headers(self) -> dict[str, str]:
        """Return what an answer carries beside its body."""
        return {"Retry-After": self.retry_after} if self.retry_after is not None else {}

    def response(self) -> JSONResponse:
        """Return it as an answer."""
        error: dict[str, object] = {
            "code": self.code,
            "description": self.description,
            "source": self.source,
            "step": "payout_initiation",
            "reason": self.reason,
            "metadata": {},
            "field": self.field,
        }
        return JSONResponse({"error": error}, self.status, self.headers)


class RefusedError(Exception):
    """The bank refuses a request; it is answered with the refusal."""

    def __init__(self, refusal: Refusal) -> None:
        self.refusal = refusal
        super().__init__(refusal.description)


UNAUTHORISED: Final = Refusal(
    status=401,
    description="Authentication failed",
    reason="authentication_failed",
    source="internal",
)
FORBIDDEN: Final = Refusal(
    status=403, description="Access denied: the IP is not allowed", reason="access_denied"
)
SERVER_ERROR: Final = Refusal(
    status=500,
    code="SERVER_ERROR",
    description="We are facing some trouble completing your request at the moment.",
    source="internal",
    reason="server_error",
)
TOO_MANY: Final = Refusal(
    status=429, description="Request was throttled. Please try again", reason="rate_limit_exceeded"
)
REFUSED: Final = Refusal(description="The fund account is not valid", reason="invalid_beneficiary")
UNPROCESSABLE: Final = Refusal(
    status=422, description="The bank account is closed", reason="bank_account_closed"
)
OTHER_BODY: Final = Refusal(
    description="Different request body sent for the same Idempotency Header."
)
NO_BALANCE: Final = Refusal(
    description="Your account does not have enough balance to carry out the payout operation.",
    reason="insufficient_funds",
)
NO_SUCH_PAYOUT: Final = Refusal(description="The id provided does not exist")
IN_FLIGHT: Final = Refusal(
    status=409, description="Another request under this key is under way.", reason="conflict"
)
NOT_QUEUED: Final = Refusal(
    description="Payout cannot be cancelled: it is not queued", reason="invalid_state"
)
