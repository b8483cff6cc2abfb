"""The bank's read calls and the cancel of a queued payout."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from workers.sandbox import entities, lists
from workers.sandbox.faults import BEFORE
from workers.sandbox.payouts import refuse, spoil
from workers.sandbox.requests import check_account, check_credentials
from workers.sandbox.script import Call
from workers.sandbox.service import Service, service_of


async def search(request: Request) -> Response:
    """GET /payouts."""
    service = _checked(request)
    check_account(request.query_params, service.settings.account_number)
    rows = lists.search(service.bank, request.query_params)
    return _spoilt(service, request, entities.collection([entities.payout(row) for row in rows]))


async def fetch(request: Request) -> Response:
    """GET /payouts/:id."""
    service = _checked(request)
    row = service.bank.by_id(request.path_params["payout"])
    return _spoilt(service, request, entities.payout(row))


async def cancel(request: Request) -> Response:
    """POST /payouts/:id/cancel."""
    service = _checked(request)
    return JSONResponse(entities.payout(service.bank.cancel(request.path_params["payout"])))


async def balances(request: Request) -> Response:
    """GET /banking_balances."""
    service = _checked(request)
    amount = service.bank.balance()
    item = {
        "entity": "banking_balance",
        "account_number": service.settings.account_number,
        "currency": "INR",
        "amount": amount,
        "available_amount": amount,
    }
    return _spoilt(service, request, entities.collection([item]))


async def transactions(request: Request) -> Response:
    """GET /transactions."""
    service = _checked(request)
    account_number = service.settings.account_number
    check_account(request.query_params, account_number)
    rows = lists.statement(service.bank, request.query_params)
    items = [entities.line(row, account_number) for row in rows]
    return _spoilt(service, request, entities.collection(items))


def _checked(request: Request) -> Service:
    service = service_of(request)
    check_credentials(request, service.settings)
    return service


def _spoilt(service: Service, request: Request, document: dict[str, object]) -> Response:
    whole = JSONResponse(document)
    order = service.script.take(Call.READ, request.query_params.get("reference_id"))
    if order is None or order.fault is None:
        return whole
    return refuse(service, order) if order.fault in BEFORE else spoil(service, order, whole)
