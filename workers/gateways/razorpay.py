"""Razorpay as `Payments`: orders that customers pay, and refunds of what was captured."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from domain.answers import LookUpFailed, Rejected
from domain.checkout_answers import OrderAnswer, ProviderOrder, ProviderRefund
from domain.ports import FrozenCall, OrderAsk, RefundAsk
from domain.razorpay import PROVIDER, fits_key, freeze_order, freeze_refund
from domain.razorpay_payments import read_order, read_refund
from domain.razorpayx_payouts import read_payout
from workers.gateways.classify import Dialect, vendor_error
from workers.gateways.http import Http, Reply
from workers.gateways.pages import PAGE_MAX, ReadFailedError
from workers.gateways.payments_client import PaymentsClient
from workers.gateways.razorpayx_replies import refusal

KEY_HEADER: Final = "X-Refund-Idempotency"
DIALECT: Final = Dialect(read=read_payout, refuses_payment=frozenset({400, 422}), refusal=refusal)
NO_SUCH: Final = frozenset({400, 404})


class Razorpay(PaymentsClient):
    """The orders and refunds of one Razorpay account."""

    provider = PROVIDER
    key_window = timedelta(hours=24)
    """Razorpay names no time for the key of a refund: as long as others keep theirs, and a look-up after that."""
    orders_are_keyed = False
    orders_are_forgotten = False
    dialect = DIALECT

    def __init__(
        self,
        *,
        url: str,
        key_id: str,
        key_secret: str,
        timeout_seconds: float,
        connections_max: int,
    ) -> None:
        """Open no connection yet; raises `BadInputError` for an unsafe `url`. Its account goes by the key's id."""
        http = Http(url=url, auth=(key_id, key_secret), connections_max=connections_max)
        super().__init__(account=key_id, http=http, timeout_seconds=timeout_seconds)

    def freeze_order(self, ask: OrderAsk) -> str:
        """Return the body of an order's request; raises `BadInputError` naming a bad field."""
        return freeze_order(ask)

    def freeze_refund(self, ask: RefundAsk) -> str:
        """Return the body of a refund's request; raises `BadInputError` naming a bad field."""
        return freeze_refund(ask)

    def cancel_order(self, provider_id: str) -> OrderAnswer:
        """Refuse: Razorpay forgets no order. What is paid late is an orphan, and is given back."""
        return Rejected(code="unsupported", reason=f"Razorpay cancels no order, nor {provider_id}")

    def fetch_order(self, provider_id: str) -> ProviderOrder | LookUpFailed | None:
        """Return an order, with its capture where it was paid."""
        until = self._until()
        path = f"orders/{provider_id}"
        try:
            reply = self._patience.reply("get", lambda: self._http.get(path, {}, until), until)
            if reply.status in NO_SUCH and vendor_error(reply):
                return None
            found = self._patience.checked("get", reply)
            paid = self._read_list(f"{path}/payments", {}, until)
        except ReadFailedError as error:
            return error.failed
        items = paid.get("items")
        captured = [
            item.get("id")
            for item in (items if isinstance(items, list) else [])
            if isinstance(item, dict) and item.get("status") in {"captured", "refunded"}
        ]
        payment = captured[0] if captured and isinstance(captured[0], str) else None
        order = read_order(found, payment)
        if order is None or order.provider_id != provider_id:
            return LookUpFailed(reason="not the order that was asked for")
        return order

    def _send_order(self, request: FrozenCall, until: float) -> Reply:
        return self._http.post("orders", request.body.encode(), {}, until)

    def _send_refund(self, request: FrozenCall, until: float) -> Reply:
        if not fits_key(request.key):
            raise AssertionError("an effect's key fits the gateway's rule")
        path = f"payments/{request.payment_id}/refund"
        return self._http.post(path, request.body.encode(), {KEY_HEADER: request.key}, until)

    def _orders(self, reference: str, until: float) -> list[ProviderOrder]:
        def page(before: list[ProviderOrder]) -> tuple[Mapping[str, object], object]:
            asked: dict[str, str | int] = {"receipt": reference, **_from(len(before))}
            found = self._read_list("orders", asked, until)
            return found, found.get("items")

        return self._pages(page, self._read_order)

    def _refunds(self, payment_id: str, until: float) -> list[ProviderRefund]:
        def page(before: list[ProviderRefund]) -> tuple[Mapping[str, object], object]:
            found = self._read_list(f"payments/{payment_id}/refunds", _from(len(before)), until)
            return found, found.get("items")

        return self._pages(page, self._read_refund)

    def _refunds_made(self, first: int, end: int, until: float) -> list[ProviderRefund]:
        # Newest first: what is made meanwhile moves an entry to a later page, never past the reader.
        def page(before: list[ProviderRefund]) -> tuple[Mapping[str, object], object]:
            asked = {"from": first, "to": end - 1, **_from(len(before))}
            found = self._read_list("refunds", asked, until)
            return found, found.get("items")

        return self._pages(page, self._read_refund)

    def _read_list(
        self, path: str, params: dict[str, str | int], until: float
    ) -> Mapping[str, object]:
        return self._patience.document("list", lambda: self._http.get(path, params, until), until)

    def _has_more(self, page: Mapping[str, object], count: int) -> bool:
        return count == PAGE_MAX

    def _read_order(self, entity: object) -> ProviderOrder | None:
        return read_order(entity)

    def _read_refund(self, entity: object) -> ProviderRefund | None:
        return read_refund(entity)


def _from(read: int) -> dict[str, str | int]:
    return {"count": PAGE_MAX, "skip": read}
