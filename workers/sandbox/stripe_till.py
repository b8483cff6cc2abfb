"""/payment_intents and /refunds: Stripe's way to the till."""

import re
from typing import Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from domain.stripe import PROVIDER
from workers.sandbox import stripe_words
from workers.sandbox.faults import BEFORE, Fault
from workers.sandbox.lists import SECONDS_MAX
from workers.sandbox.payouts import instead, limit, spoil, take_order
from workers.sandbox.reading import spoilt
from workers.sandbox.refusals import SERVER_ERROR
from workers.sandbox.requests import COUNT_DEFAULT, COUNT_MAX, read_body, read_whole
from workers.sandbox.script import Order
from workers.sandbox.service import Service, service_of
from workers.sandbox.stripe_requests import (
    check_bearer,
    read_amount,
    read_form,
    read_stripe_key,
    wrong,
)
from workers.sandbox.till import Wanted
from workers.sandbox.transfers import worded

REFERENCE: Final = "metadata[reference]"
QUERY: Final = re.compile(r"metadata\['reference'\]:'([^']*)'")


@worded
async def create(request: Request) -> Response:
    """POST /payment_intents: once per key."""
    service, key, body, asked, order = await _asked(request)
    if order.fault in BEFORE:
        return instead(service, key, order)
    currency = asked.get("currency", "")
    if not currency.islower():
        raise wrong("currency", "Invalid currency.")
    wanted = Wanted(
        amount=read_amount(asked),
        currency=currency.upper(),
        reference=asked.get(REFERENCE),
        key=key,
        body=body,
    )
    entity = stripe_words.intent(service.till.open(PROVIDER, "pi_", wanted))
    return _answer(service, key, order, entity)


@worded
async def refund(request: Request) -> Response:
    """POST /refunds: once per key."""
    service, key, body, asked, order = await _asked(request)
    if order.fault in BEFORE:
        return instead(service, key, order)
    paid = service.till.paid(PROVIDER, asked.get("payment_intent", ""))
    wanted = Wanted(
        amount=read_amount(asked),
        currency=paid["currency"],
        reference=asked.get(REFERENCE),
        key=key,
        body=body,
    )
    entity = stripe_words.refund(service.till.refund(paid, "re_", wanted, order.fault))
    return _answer(service, key, order, entity)


@worded
async def search(request: Request) -> Response:
    """GET /payment_intents/search."""
    service = _checked(request)
    found = QUERY.fullmatch(request.query_params.get("query", ""))
    if found is None:
        raise wrong("query", "We were unable to parse your search query.")
    rows = service.till.orders(PROVIDER, found[1])
    return spoilt(
        service,
        found[1],
        stripe_words.page([stripe_words.intent(row) for row in rows], has_more=False),
    )


@worded
async def fetch(request: Request) -> Response:
    """GET /payment_intents/:id."""
    service = _checked(request)
    row = service.till.order(PROVIDER, request.path_params["order"])
    return spoilt(service, row["reference"], stripe_words.intent(row))


@worded
async def cancel(request: Request) -> Response:
    """POST /payment_intents/:id/cancel."""
    service = _checked(request)
    row = service.till.cancel(PROVIDER, request.path_params["order"])
    return JSONResponse(stripe_words.intent(row))


@worded
async def refunds(request: Request) -> Response:
    """GET /refunds."""
    service, asked = _checked(request), request.query_params
    if "payment_intent" in asked:
        rows = service.till.refunds(service.till.paid(PROVIDER, asked["payment_intent"]))
    else:
        first = read_whole(asked, "created[gte]", 0, SECONDS_MAX)
        end = read_whole(asked, "created[lt]", SECONDS_MAX, SECONDS_MAX)
        rows = service.till.refunds_between(PROVIDER, first, end - 1)
    items = [stripe_words.refund(row) for row in rows]
    after = request.query_params.get("starting_after")
    if after is not None:
        ids = [item["id"] for item in items]
        items = items[ids.index(after) + 1 :] if after in ids else []
    count = read_whole(request.query_params, "limit", COUNT_DEFAULT, COUNT_MAX)
    return spoilt(service, None, stripe_words.page(items[:count], has_more=len(items) > count))


async def _asked(request: Request) -> tuple[Service, str, bytes, dict[str, str], Order]:
    service = service_of(request)
    service.bank.storage.add("requests")
    body = await read_body(request)
    check_bearer(request, service.settings)
    limit(service)
    key, asked = read_stripe_key(request), read_form(body)
    return service, key, body, asked, take_order(service, key, asked.get(REFERENCE))


def _answer(service: Service, key: str, order: Order, entity: dict[str, object]) -> Response:
    if order.fault is Fault.ERROR:
        service.bank.stick(key, SERVER_ERROR)
    if order.fault is Fault.WRONG_AMOUNT and isinstance(entity["amount"], int):
        entity["amount"] = entity["amount"] + 1
    if order.fault is Fault.WRONG_REFERENCE:
        entity["metadata"] = {"reference": "another"}
    return spoil(service, order, JSONResponse(entity))


def _checked(request: Request) -> Service:
    service = service_of(request)
    check_bearer(request, service.settings)
    return service
