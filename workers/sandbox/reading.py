"""Reads of the till meet the faults that were ordered for reads."""

from starlette.responses import JSONResponse, Response

from workers.sandbox.faults import BEFORE
from workers.sandbox.payouts import refuse, spoil
from workers.sandbox.script import Call
from workers.sandbox.service import Service


def spoilt(service: Service, reference: str | None, document: dict[str, object]) -> Response:
    """Return `document`, or what the next order for a read of `reference` makes of it."""
    whole = JSONResponse(document)
    order = service.script.take(Call.READ, reference)
    if order is None or order.fault is None:
        return whole
    return refuse(service, order) if order.fault in BEFORE else spoil(service, order, whole)
