"""POST /payouts: pay once per key, then answer as well or as badly as was ordered."""

import sqlite3
from dataclasses import replace
from typing import Final

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from workers.sandbox import entities
from workers.sandbox.faults import BEFORE, Fault
from workers.sandbox.misbehaviour import Cut, CutShort, Drip, Hang, Late
from workers.sandbox.refusals import (
    FORBIDDEN,
    REFUSED,
    SERVER_ERROR,
    TOO_MANY,
    UNAUTHORISED,
    UNPROCESSABLE,
    RefusedError,
)
from workers.sandbox.requests import check_credentials, read_ask, read_body, read_key, read_object
from workers.sandbox.script import Call, Order
from workers.sandbox.service import Service, service_of

GARBAGE: Final = "<html><body>Bad gateway</body></html>"

REFUSALS: Final = {
    Fault.ERROR_BEFORE: SERVER_ERROR,
    Fault.STICKY_ERROR: SERVER_ERROR,
    Fault.REFUSE: REFUSED,
    Fault.UNPROCESSABLE: UNPROCESSABLE,
    Fault.UNAUTHORISED: UNAUTHORISED,
    Fault.FORBIDDEN: FORBIDDEN,
}


async def create(request: Request) -> Response:
    """Accept a payout, or answer as its fault says."""
    service = service_of(request)
    bank = service.bank
    bank.storage.add("requests")
    body = await read_body(request)
    check_credentials(request, service.settings)
    limit(service)
    key, asked = read_key(request), read_object(body)
    order = take_order(service, key, asked.get("reference_id"))
    if order.fault in BEFORE:
        return instead(service, key, order)
    ask = read_ask(asked, service.settings.account_number)
    row = bank.pay(key, body, ask, order.fault)
    return spoil(service, order, _answer(row, order.fault))


def limit(service: Service) -> None:
    """Take a place for one request; raises the provider's 429 where there is none."""
    if not service.limiter.admits():
        service.bank.storage.add("rate_limited")
        raise throttled(str(service.limiter.wait_seconds()))


def take_order(service: Service, key: str, reference: object) -> Order:
    """Return what this send is to meet; raises the error that sticks to its key, if one does."""
    send = service.bank.note_send(key)
    if send.stuck:
        raise RefusedError(send.stuck)
    order = service.script.take(Call.SUBMIT, reference if isinstance(reference, str) else None)
    order = order or Order(fault=service.faults.draw(service.settings.seed, key, send.number))
    if order.fault:
        service.bank.storage.add(f"fault:{order.fault}")
    return order


def instead(service: Service, key: str, order: Order) -> Response:
    """Answer without executing."""
    if order.fault is Fault.STICKY_ERROR:
        service.bank.stick(key, SERVER_ERROR)
    return refuse(service, order)


def refuse(service: Service, order: Order) -> Response:
    """Return, or raise, the answer of a fault that comes before execution."""
    if order.fault is Fault.RATE_LIMIT:
        raise throttled(order.retry_after or str(service.settings.retry_after_seconds))
    refusal = REFUSALS.get(order.fault) if order.fault else None
    if refusal:
        raise RefusedError(refusal)
    return Cut(service.wires)


def throttled(retry_after: str) -> RefusedError:
    """Return the provider's 429."""
    return RefusedError(replace(TOO_MANY, retry_after=retry_after))


def _answer(row: sqlite3.Row, fault: Fault | None) -> Response:
    entity = entities.payout(row)
    if fault is Fault.WRONG_AMOUNT:
        entity["amount"] = row["amount"] + 1
    if fault is Fault.WRONG_REFERENCE:
        entity["reference_id"] = "another"
    return JSONResponse(entity)


def spoil(service: Service, order: Order, whole: Response) -> Response:
    """Return `whole`, or what the line makes of it; raises where that is an error."""
    if order.fault is None:
        return whole
    if order.fault is Fault.ERROR:
        raise RefusedError(SERVER_ERROR)
    settings, wires = service.settings, service.wires
    hang_seconds = settings.hang_seconds if order.seconds is None else order.seconds
    slow_seconds = settings.slow_seconds if order.seconds is None else order.seconds
    ways = {
        Fault.DROP: Cut(wires),
        Fault.TRUNCATE: CutShort(whole, wires),
        Fault.GARBAGE: HTMLResponse(GARBAGE),
        Fault.SLOW: Late(whole, slow_seconds),
        Fault.DRIP: Drip(whole, hang_seconds, wires),
        Fault.HANG: Hang(hang_seconds, wires),
    }
    return ways.get(order.fault, whole)


async def refused(_request: Request, error: Exception) -> Response:
    """Answer with the provider's error body."""
    if not isinstance(error, RefusedError):
        raise error
    return error.refusal.response()


async def unheard(_request: Request, _error: Exception) -> Response:
    """End a request whose client hung up before it was whole: nobody hears the answer."""
    return Response(status_code=400)
