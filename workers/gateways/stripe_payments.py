"""Stripe as `Payments`: PaymentIntents that customers pay, and refunds of what was captured."""

from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Final, cast

from domain.answers import LookUpFailed
from domain.checkout_answers import OrderAnswer, ProviderOrder, ProviderRefund
from domain.ports import FrozenCall, OrderAsk, RefundAsk
from domain.stripe import PROVIDER, parameters
from domain.stripe_intents import freeze_order, freeze_refund
from domain.stripe_payments import read_order, read_refund
from workers.gateways.classify import vendor_error
from workers.gateways.http import Http, Reply
from workers.gateways.pages import PAGE_MAX, ReadFailedError
from workers.gateways.payments_client import PaymentsClient
from workers.gateways.stripe_calls import Call, Calls
from workers.gateways.stripe_replies import DIALECT

if TYPE_CHECKING:
    from stripe.params import PaymentIntentCreateParams, RefundCreateParams, RefundListParams

NOT_FOUND: Final = 404


class StripePayments(PaymentsClient):
    """The PaymentIntents and refunds of one Stripe account."""

    provider = PROVIDER
    key_window = timedelta(hours=24)  # Stripe, idempotent requests: keys go after at least 24 hours
    orders_are_keyed = True
    orders_are_forgotten = True
    dialect = DIALECT

    def __init__(
        self, *, url: str, api_key: str, account: str, timeout_seconds: float, connections_max: int
    ) -> None:
        """Open no connection yet; raises `BadInputError` for an unsafe `url`."""
        http = Http(url=url, auth=None, connections_max=connections_max)
        self._calls = Calls(http, url=url, api_key=api_key)
        super().__init__(account=account, http=http, timeout_seconds=timeout_seconds)

    def freeze_order(self, ask: OrderAsk) -> str:
        """Return the PaymentIntent's parameters; raises `BadInputError` naming a bad field."""
        return freeze_order(ask)

    def freeze_refund(self, ask: RefundAsk) -> str:
        """Return the refund's parameters; raises `BadInputError` naming a bad field."""
        return freeze_refund(ask)

    def cancel_order(self, provider_id: str) -> OrderAnswer:
        """Cancel a PaymentIntent; one that was cancelled before is `Rejected`, and a fetch says so."""
        return self._call(
            lambda until: self._calls.reply(
                lambda stripe: stripe.v1.payment_intents.cancel(provider_id), until
            ),
            self._read_order,
            None,
        )

    def fetch_order(self, provider_id: str) -> ProviderOrder | LookUpFailed | None:
        """Return a PaymentIntent."""
        until = self._until()
        try:
            reply = self._patience.reply(
                "get",
                lambda: self._calls.reply(
                    lambda stripe: stripe.v1.payment_intents.retrieve(provider_id), until
                ),
                until,
            )
            if reply.status == NOT_FOUND and vendor_error(reply):
                return None
            order = read_order(self._patience.checked("get", reply))
        except ReadFailedError as error:
            return error.failed
        if order is None or order.provider_id != provider_id:
            return LookUpFailed(reason="not the order that was asked for")
        return order

    def _send_order(self, request: FrozenCall, until: float) -> Reply:
        params = cast("PaymentIntentCreateParams", parameters(request.body))
        return self._calls.reply(
            lambda stripe: stripe.v1.payment_intents.create(
                params, {"idempotency_key": request.key}
            ),
            until,
        )

    def _send_refund(self, request: FrozenCall, until: float) -> Reply:
        params = cast("RefundCreateParams", parameters(request.body))
        return self._calls.reply(
            lambda stripe: stripe.v1.refunds.create(params, {"idempotency_key": request.key}), until
        )

    def _orders(self, reference: str, until: float) -> list[ProviderOrder]:
        # A search sees what is older than a minute; one order has one reference, so a page holds them.
        query = f"metadata['reference']:'{reference}'"

        def page(_: list[ProviderOrder]) -> tuple[Mapping[str, object], object]:
            found = self._document(
                lambda stripe: stripe.v1.payment_intents.search(
                    {"query": query, "limit": PAGE_MAX}
                ),
                until,
            )
            if found.get("has_more"):
                raise ReadFailedError(LookUpFailed(reason="too many orders of one reference"))
            return found, found.get("data")

        return self._pages(page, self._read_order)

    def _refunds(self, payment_id: str, until: float) -> list[ProviderRefund]:
        def page(before: list[ProviderRefund]) -> tuple[Mapping[str, object], object]:
            params: RefundListParams = {"payment_intent": payment_id, "limit": PAGE_MAX}
            if before:
                params["starting_after"] = before[-1].provider_id
            found = self._document(lambda stripe: stripe.v1.refunds.list(params), until)
            return found, found.get("data")

        return self._pages(page, self._read_refund)

    def _refunds_made(self, first: int, end: int, until: float) -> list[ProviderRefund]:
        def page(before: list[ProviderRefund]) -> tuple[Mapping[str, object], object]:
            params: RefundListParams = {"created": {"gte": first, "lt": end}, "limit": PAGE_MAX}
            if before:
                params["starting_after"] = before[-1].provider_id
            found = self._document(lambda stripe: stripe.v1.refunds.list(params), until)
            return found, found.get("data")

        return self._pages(page, self._read_refund)

    def _document(self, call: Call, until: float) -> Mapping[str, object]:
        return self._patience.document("list", lambda: self._calls.reply(call, until), until)

    def _has_more(self, page: Mapping[str, object], count: int) -> bool:
        return page.get("has_more") is not False and count > 0

    def _read_order(self, entity: object) -> ProviderOrder | None:
        return read_order(entity)

    def _read_refund(self, entity: object) -> ProviderRefund | None:
        return read_refund(entity)
