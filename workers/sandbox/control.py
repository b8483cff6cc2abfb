"""/_sandbox: what a test or a demo may order, move and count; no bank has such a door."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from domain.errors import BadInputError
from workers.sandbox.faults import OF_EVENTS, Fault, Faults
from workers.sandbox.lists import doubled, summary
from workers.sandbox.requests import check_credentials, read_body, read_object
from workers.sandbox.script import Call, Order
from workers.sandbox.service import Service, service_of
from workers.sandbox.till import DISPUTE_STATUSES

TIMES_MAX = 10_000


async def order_faults(request: Request) -> Response:
    """POST /_sandbox/faults: `{"rates": "drop=0.03"}`, or one order.

    An order is `{"fault": "drop", "times": 3, "reference": …, "call": "submit" | "read" | "event",
    "retry_after": "2", "seconds": 0.5}`; `"fault": null` lets its requests pass whatever the rates
    are. What is wrong with an event is an order for events, without saying so.
    """
    service, body = await _asked(request)
    try:
        if "rates" in body:
            service.faults = Faults.parse(str(body["rates"]))
        if "fault" in body:
            service.script.add(_order(body))
    except (BadInputError, ValueError, TypeError) as error:
        return JSONResponse({"error": str(error)}, 400)
    return JSONResponse({"rates": str(service.faults), "waiting": service.script.waiting()})


async def clear_faults(request: Request) -> Response:
    """DELETE /_sandbox/faults: back to the settings' rates, and no orders."""
    service, _ = await _asked(request)
    service.script.clear()
    service.faults = service.settings.faults
    return JSONResponse({"rates": str(service.faults), "waiting": 0})


async def advance(request: Request) -> Response:
    """POST /_sandbox/clock `{"seconds": 3600}`: move the bank's clock ahead, for good."""
    service, body = await _asked(request)
    seconds = body.get("seconds")
    if not isinstance(seconds, int | float) or isinstance(seconds, bool) or seconds < 0:
        return JSONResponse({"error": "seconds: must be a number, 0 or more"}, 400)
    service.bank.storage.advance(seconds)
    return JSONResponse({"now_ms": service.bank.storage.now_ms()})


async def deposit(request: Request) -> Response:
    """POST /_sandbox/balance `{"add": 100000}` (paise, or less than 0): queued payouts start."""
    service, body = await _asked(request)
    amount = body.get("add")
    if not isinstance(amount, int) or isinstance(amount, bool):
        return JSONResponse({"error": "add: must be a whole number of paise"}, 400)
    service.bank.deposit(amount)
    return JSONResponse({"balance_minor": service.bank.balance()})


async def summarise(request: Request) -> Response:
    """GET /_sandbox/summary: what was really paid, and how often each reference was; what customers paid."""
    service, _ = await _asked(request)
    told = summary(service.bank) | {"doubled": doubled(service.bank)}
    return JSONResponse(told | service.till.summary())


async def capture(request: Request) -> Response:
    """POST /_sandbox/captures `{"order": "order_…"}`: a customer pays an order, or a PaymentIntent."""
    service, body = await _asked(request)
    paid = service.till.capture(str(body.get("order")))
    return JSONResponse({"payment": paid["payment_id"], "amount_minor": paid["amount"]})


async def fail(request: Request) -> Response:
    """POST /_sandbox/failures `{"order": "order_…"}`: a customer tries to pay an order, and is refused."""
    service, body = await _asked(request)
    order = service.till.fail(str(body.get("order")))
    return JSONResponse({"order": order["id"]})


async def dispute(request: Request) -> Response:
    """POST /_sandbox/disputes `{"order": "order_…", "status": "open", "amount": 100}`: disputed, or decided.

    The first word opens it; `won`, `lost` and `closed` end it. Without an amount it is about all of it.
    """
    service, body = await _asked(request)
    status, amount = str(body.get("status", "open")), body.get("amount")
    if status not in DISPUTE_STATUSES:
        return JSONResponse({"error": f"status: must be one of {', '.join(DISPUTE_STATUSES)}"}, 400)
    if amount is not None and (not isinstance(amount, int) or isinstance(amount, bool)):
        return JSONResponse({"error": "amount: must be a whole number of minor units"}, 400)
    found = service.till.dispute(str(body.get("order")), status, amount)
    return JSONResponse({"dispute": found["id"], "amount_minor": found["amount"]})


async def _asked(request: Request) -> tuple[Service, dict[str, object]]:
    service = service_of(request)
    check_credentials(request, service.settings)
    body = await read_body(request)
    return service, read_object(body) if body else {}


def _order(body: dict[str, object]) -> Order:
    fault, times, seconds = body["fault"], body.get("times", 1), body.get("seconds")
    if not isinstance(times, int) or not 0 < times <= TIMES_MAX:
        raise BadInputError("times", times, f"must be 1 to {TIMES_MAX}")
    if seconds is not None and (not isinstance(seconds, int | float) or seconds < 0):
        raise BadInputError("seconds", seconds, "must be a number, 0 or more")
    wanted = None if fault is None else Fault(str(fault))
    call = Call(str(body.get("call", Call.EVENT if wanted in OF_EVENTS else Call.SUBMIT)))
    if wanted is not None and (wanted in OF_EVENTS) != (call is Call.EVENT):
        raise BadInputError("call", call.value, f"does not fit {wanted.value}")
    return Order(
        fault=wanted,
        times=times,
        call=call,
        reference=_text(body, "reference"),
        retry_after=_text(body, "retry_after"),
        seconds=seconds,
    )


def _text(body: dict[str, object], name: str) -> str | None:
    value = body.get(name)
    return None if value is None else str(value)
