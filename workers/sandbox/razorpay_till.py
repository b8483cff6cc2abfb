"""/orders and /payments: Razorpay's way to the till."""

from typing import Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from domain.razorpay import AMOUNT_MIN, CURRENCY, PROVIDER, REFERENCE_MAX, fits_key
from workers.sandbox import razorpay_words
from workers.sandbox.entities import collection
from workers.sandbox.faults import BEFORE, Fault
from workers.sandbox.lists import SECONDS_MAX, SKIP_MAX
from workers.sandbox.payouts import instead, limit, spoil, take_order
from workers.sandbox.reading import spoilt
from workers.sandbox.refusals import Refusal, RefusedError
from workers.sandbox.requests import (
    COUNT_DEFAULT,
    COUNT_MAX,
    check_credentials,
    read_body,
    read_object,
    read_whole,
)
from workers.sandbox.service import Service, service_of
from workers.sandbox.till import Wanted

KEY_HEADER: Final = "X-Refund-Idempotency"


async def create(request: Request) -> Response:
    """POST /orders: it keeps no keys, so what is asked twice is made twice."""
    service, body = await _asked(request)
    asked = read_object(body)
    reference = _reference(asked)
    order = take_order(service, f"order:{reference}", reference)
    if order.fault in BEFORE:
        return instead(service, f"order:{reference}", order)
    if asked.get("currency") != CURRENCY:
        raise RefusedError(Refusal(description="The currency must be INR.", field="currency"))
    wanted = Wanted(
        amount=_amount(asked), currency=CURRENCY, reference=reference, key=None, body=body
    )
    entity = razorpay_words.order(service.till.open(PROVIDER, "order_", wanted))
    return spoil(service, order, JSONResponse(_wrong(entity, order.fault, "receipt")))


async def refund(request: Request) -> Response:
    """POST /payments/:id/refund: once per key."""
    service, body = await _asked(request)
    asked, key = read_object(body), request.headers.get(KEY_HEADER, "")
    if not fits_key(key):
        raise RefusedError(Refusal(description="At least 10 characters.", field=KEY_HEADER))
    notes = asked.get("notes")
    reference = notes.get("reference") if isinstance(notes, dict) else None
    order = take_order(service, key, reference)
    if order.fault in BEFORE:
        return instead(service, key, order)
    paid = service.till.paid(PROVIDER, request.path_params["payment"])
    wanted = Wanted(
        amount=_amount(asked), currency=CURRENCY, reference=reference, key=key, body=body
    )
    entity = razorpay_words.refund(service.till.refund(paid, "rfnd_", wanted, order.fault))
    if order.fault is Fault.WRONG_REFERENCE:
        entity["notes"] = {"reference": "another"}
    return spoil(service, order, JSONResponse(_wrong(entity, order.fault, "receipt")))


async def search(request: Request) -> Response:
    """GET /orders."""
    service = _checked(request)
    reference = request.query_params.get("receipt", "")
    rows = service.till.orders(PROVIDER, reference)
    return spoilt(service, reference, _page(request, [razorpay_words.order(row) for row in rows]))


async def fetch(request: Request) -> Response:
    """GET /orders/:id."""
    service = _checked(request)
    row = service.till.order(PROVIDER, request.path_params["order"])
    return spoilt(service, row["reference"], razorpay_words.order(row))


async def payments(request: Request) -> Response:
    """GET /orders/:id/payments."""
    service = _checked(request)
    row = service.till.order(PROVIDER, request.path_params["order"])
    return JSONResponse(
        collection([razorpay_words.payment(row)] if row["paid_ms"] is not None else [])
    )


async def refunds(request: Request) -> Response:
    """GET /payments/:id/refunds."""
    service = _checked(request)
    paid = service.till.paid(PROVIDER, request.path_params["payment"])
    items = [razorpay_words.refund(row) for row in service.till.refunds(paid)]
    return spoilt(service, None, _page(request, items))


async def refunds_between(request: Request) -> Response:
    """GET /refunds."""
    service = _checked(request)
    first = read_whole(request.query_params, "from", 0, SECONDS_MAX)
    last = read_whole(request.query_params, "to", SECONDS_MAX, SECONDS_MAX)
    items = [
        razorpay_words.refund(row) for row in service.till.refunds_between(PROVIDER, first, last)
    ]
    return spoilt(service, None, _page(request, items))


async def _asked(request: Request) -> tuple[Service, bytes]:
    service = service_of(request)
    service.bank.storage.add("requests")
    body = await read_body(request)
    check_credentials(request, service.settings)
    limit(service)
    return service, body


def _checked(request: Request) -> Service:
    service = service_of(request)
    check_credentials(request, service.settings)
    return service


def _page(request: Request, items: list[dict[str, object]]) -> dict[str, object]:
    count = read_whole(request.query_params, "count", COUNT_DEFAULT, COUNT_MAX)
    skip = read_whole(request.query_params, "skip", 0, SKIP_MAX)
    return collection(items[skip : skip + count])


def _reference(asked: dict[str, object]) -> str | None:
    receipt = asked.get("receipt")
    if receipt is not None and (not isinstance(receipt, str) or len(receipt) > REFERENCE_MAX):
        raise RefusedError(Refusal(description="The receipt is too long.", field="receipt"))
    return receipt


def _amount(asked: dict[str, object]) -> int:
    amount = asked.get("amount")
    if not isinstance(amount, int) or isinstance(amount, bool) or amount < AMOUNT_MIN:
        raise RefusedError(Refusal(description="The amount is too small.", field="amount"))
    return amount


def _wrong(entity: dict[str, object], fault: Fault | None, reference: str) -> dict[str, object]:
    if fault is Fault.WRONG_AMOUNT and isinstance(entity["amount"], int):
        return entity | {"amount": entity["amount"] + 1}
    return entity | {reference: "another"} if fault is Fault.WRONG_REFERENCE else entity
