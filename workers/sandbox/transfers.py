"""/transfers: Stripe's way to the same bank; paid once per key, answered for a day as it was first."""

import time
from collections.abc import Awaitable, Callable
from functools import wraps

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from workers.sandbox import stripe_statement, transfer_lists
from workers.sandbox.faults import BEFORE, Fault
from workers.sandbox.payouts import instead, limit, refuse, spoil, take_order
from workers.sandbox.refusals import (
    IN_FLIGHT,
    NO_BALANCE,
    SERVER_ERROR,
    RefusedError,
)
from workers.sandbox.requests import read_body
from workers.sandbox.script import Call
from workers.sandbox.service import Service, service_of
from workers.sandbox.stripe_requests import (
    check_bearer,
    read_form,
    read_stripe_key,
    read_transfer,
)
from workers.sandbox.stripe_words import in_stripes_words, page, transfer

Handler = Callable[[Request], Awaitable[Response]]


def worded(handler: Handler) -> Handler:
    """Let `handler` refuse in Stripe's words."""

    @wraps(handler)
    async def answer(request: Request) -> Response:
        try:
            return await handler(request)
        except RefusedError as error:
            return in_stripes_words(error.refusal)

    return answer


@worded
async def create(request: Request) -> Response:
    """POST /transfers: accept a transfer, or answer as its fault says."""
    service = service_of(request)
    service.bank.storage.add("requests")
    body = await read_body(request)
    check_bearer(request, service.settings)
    limit(service)
    key, asked = read_stripe_key(request), read_form(body)
    if service.busy_until.get(key, 0.0) > time.monotonic():
        raise RefusedError(IN_FLIGHT)
    order = take_order(service, key, asked.get("transfer_group"))
    if order.fault in BEFORE:
        return instead(service, key, order)
    whole = JSONResponse(_pay(service, key, body, asked, order.fault))
    if order.fault is Fault.SLOW:
        seconds = service.settings.slow_seconds if order.seconds is None else order.seconds
        service.busy_until[key] = time.monotonic() + seconds
    return spoil(service, order, whole)


def _pay(
    service: Service, key: str, body: bytes, asked: dict[str, str], fault: Fault | None
) -> dict[str, object]:
    """Make the transfer, or find the one of `key`; what execution ends in sticks to the key."""
    # A transfer that exists is paid: it cannot fail, only be reversed.
    ending = None if fault is Fault.FAIL else fault
    try:
        row = service.bank.pay(key, body, read_transfer(asked), ending)
    except RefusedError as error:
        if error.refusal == NO_BALANCE:
            service.bank.stick(key, NO_BALANCE)
        raise
    if fault is Fault.ERROR:
        service.bank.stick(key, SERVER_ERROR)
    entity = transfer(row, reversed_minor=0)
    if fault is Fault.WRONG_AMOUNT:
        entity["amount"] = row["amount"] + 1
    if fault is Fault.WRONG_REFERENCE:
        entity["transfer_group"] = "another"
    return entity


@worded
async def search(request: Request) -> Response:
    """GET /transfers."""
    service = _checked(request)
    rows, has_more = transfer_lists.search(service.bank, request.query_params)
    items = [transfer(row, reversed_minor=row["reversed_minor"]) for row in rows]
    return _spoilt(service, request, page(items, has_more=has_more))


@worded
async def fetch(request: Request) -> Response:
    """GET /transfers/:id."""
    service = _checked(request)
    row = transfer_lists.one(service.bank, request.path_params["transfer"])
    return _spoilt(service, request, transfer(row, reversed_minor=row["reversed_minor"]))


@worded
async def reverse(request: Request) -> Response:
    """POST /transfers/:id/reversals: take all of a transfer back, or `amount` of it."""
    service = _checked(request)
    asked = read_form(await read_body(request))
    row = transfer_lists.reverse(service.bank, request.path_params["transfer"], asked)
    return JSONResponse(transfer(row, reversed_minor=row["reversed_minor"]))


@worded
async def balance(request: Request) -> Response:
    """GET /balance."""
    service = _checked(request)
    available = {"amount": service.bank.balance(), "currency": "inr", "source_types": {}}
    document = {"object": "balance", "available": [available], "pending": [], "livemode": False}
    return _spoilt(service, request, document)


@worded
async def balance_transactions(request: Request) -> Response:
    """GET /balance_transactions."""
    service = _checked(request)
    items, has_more = stripe_statement.page(service.bank, request.query_params)
    return _spoilt(service, request, page(items, has_more=has_more, url="balance_transactions"))


@worded
async def account(request: Request) -> Response:
    """GET /account: whose key it is."""
    service = _checked(request)
    document: dict[str, object] = {"id": service.settings.stripe_account, "object": "account"}
    return _spoilt(service, request, document)


def _checked(request: Request) -> Service:
    service = service_of(request)
    check_bearer(request, service.settings)
    return service


def _spoilt(service: Service, request: Request, document: dict[str, object]) -> Response:
    whole = JSONResponse(document)
    order = service.script.take(Call.READ, request.query_params.get("transfer_group"))
    if order is None or order.fault is None:
        return whole
    return refuse(service, order) if order.fault in BEFORE else spoil(service, order, whole)
