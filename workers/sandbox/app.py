"""The sandbox bank as an ASGI application: its routes, and what lives as long as it does."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from workers.sandbox import (
    control,
    payouts,
    razorpay_till,
    reads,
    stripe_till,
    transfers,
)
from workers.sandbox.bank import Bank
from workers.sandbox.refusals import RefusedError
from workers.sandbox.service import Limiter, Service
from workers.sandbox.settings import SandboxSettings
from workers.sandbox.storage import Storage
from workers.sandbox.till import Till
from workers.sandbox.webhooks import tell_for_ever
from workers.sandbox.wires import Wires

PREFIX: Final = "/v1"
"""Where the providers' own paths are: payouts and transfers, orders and refunds."""


async def refunds(request: Request) -> Response:
    """GET /refunds: both have it, and their credentials say whose is asked for."""
    is_basic = request.headers.get("authorization", "").startswith("Basic ")
    return await (razorpay_till.refunds_between if is_basic else stripe_till.refunds)(request)


ROUTES: Final = (
    Route(f"{PREFIX}/payouts", payouts.create, methods=["POST"]),
    Route(f"{PREFIX}/payouts", reads.search, methods=["GET"]),
    Route(f"{PREFIX}/payouts/{{payout}}", reads.fetch, methods=["GET"]),
    Route(f"{PREFIX}/payouts/{{payout}}/cancel", reads.cancel, methods=["POST"]),
    Route(f"{PREFIX}/banking_balances", reads.balances, methods=["GET"]),
    Route(f"{PREFIX}/transactions", reads.transactions, methods=["GET"]),
    Route(f"{PREFIX}/transfers", transfers.create, methods=["POST"]),
    Route(f"{PREFIX}/transfers", transfers.search, methods=["GET"]),
    Route(f"{PREFIX}/transfers/{{transfer}}", transfers.fetch, methods=["GET"]),
    Route(f"{PREFIX}/transfers/{{transfer}}/reversals", transfers.reverse, methods=["POST"]),
    Route(f"{PREFIX}/balance_transactions", transfers.balance_transactions, methods=["GET"]),
    Route(f"{PREFIX}/balance", transfers.balance, methods=["GET"]),
    Route(f"{PREFIX}/account", transfers.account, methods=["GET"]),
    Route(f"{PREFIX}/orders", razorpay_till.create, methods=["POST"]),
    Route(f"{PREFIX}/orders", razorpay_till.search, methods=["GET"]),
    Route(f"{PREFIX}/orders/{{order}}", razorpay_till.fetch, methods=["GET"]),
    Route(f"{PREFIX}/orders/{{order}}/payments", razorpay_till.payments, methods=["GET"]),
    Route(f"{PREFIX}/payments/{{payment}}/refund", razorpay_till.refund, methods=["POST"]),
    Route(f"{PREFIX}/payments/{{payment}}/refunds", razorpay_till.refunds, methods=["GET"]),
    Route(f"{PREFIX}/payment_intents", stripe_till.create, methods=["POST"]),
    Route(f"{PREFIX}/payment_intents/search", stripe_till.search, methods=["GET"]),
    Route(f"{PREFIX}/payment_intents/{{order}}", stripe_till.fetch, methods=["GET"]),
    Route(f"{PREFIX}/payment_intents/{{order}}/cancel", stripe_till.cancel, methods=["POST"]),
    Route(f"{PREFIX}/refunds", stripe_till.refund, methods=["POST"]),
    Route(f"{PREFIX}/refunds", refunds, methods=["GET"]),
    Route("/_sandbox/captures", control.capture, methods=["POST"]),
    Route("/_sandbox/failures", control.fail, methods=["POST"]),
    Route("/_sandbox/disputes", control.dispute, methods=["POST"]),
    Route("/_sandbox/faults", control.order_faults, methods=["POST"]),
    Route("/_sandbox/faults", control.clear_faults, methods=["DELETE"]),
    Route("/_sandbox/clock", control.advance, methods=["POST"]),
    Route("/_sandbox/balance", control.deposit, methods=["POST"]),
    Route("/_sandbox/summary", control.summarise, methods=["GET"]),
)


def build(settings: SandboxSettings, wires: Wires | None = None) -> Starlette:
    """Return the bank; its file is opened when it starts. Faults that cut need `wires`."""

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        storage = Storage(settings.storage, {"balance": settings.balance_minor})
        bank = Bank(settings, storage)
        service = Service(
            settings=settings,
            bank=bank,
            till=Till(settings, storage),
            limiter=Limiter(settings.rate_per_second_max),
            wires=wires or Wires(),
            faults=settings.faults,
        )
        app.state.service = service
        is_heard = (
            settings.webhook_url or settings.stripe_webhook_url or settings.razorpay_webhook_url
        )
        teller = asyncio.create_task(tell_for_ever(service)) if is_heard else None
        try:
            yield
        finally:
            if teller:
                teller.cancel()
                with suppress(asyncio.CancelledError):
                    await teller
            storage.close()

    return Starlette(
        routes=ROUTES,
        lifespan=lifespan,
        exception_handlers={RefusedError: payouts.refused, ClientDisconnect: payouts.unheard},
    )
