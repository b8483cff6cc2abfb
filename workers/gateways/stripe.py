"""Stripe as a `Bank`: transfers from one platform's balance to its connected accounts."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, cast

from domain.ports import FrozenRequest, PayoutOrder
from domain.statements import StatementLine
from domain.stripe import KEY_MAX, PROVIDER, fits_key, freeze, parameters
from workers.gateways.client import LOOK_UP_GRACE, Client
from workers.gateways.http import Http, Reply
from workers.gateways.statements import lines_after
from workers.gateways.stripe_calls import Calls
from workers.gateways.stripe_pages import StripePages
from workers.gateways.stripe_replies import DIALECT

if TYPE_CHECKING:
    from stripe.params import TransferCreateParams


class Stripe(Client):
    """The transfers of one Stripe account."""

    provider = PROVIDER
    key_window = timedelta(hours=24)  # Stripe, idempotent requests: keys go after at least 24 hours
    dialect = DIALECT

    def __init__(
        self,
        *,
        url: str,
        api_key: str,
        account: str,
        timeout_seconds: float,
        connections_max: int,
        look_up_grace: timedelta = LOOK_UP_GRACE,
    ) -> None:
        """Open no connection yet; raises `BadInputError` for an unsafe `url`."""
        http = Http(url=url, auth=None, connections_max=connections_max)
        self._calls = Calls(http, url=url, api_key=api_key)
        self._own = StripePages(self._calls, account)
        super().__init__(
            account=account,
            http=http,
            pages=self._own,
            timeout_seconds=timeout_seconds,
            look_up_grace=look_up_grace,
        )

    def freeze(self, order: PayoutOrder) -> str:
        """Return the transfer's parameters; raises `BadInputError` naming a bad field."""
        return freeze(order)

    def _lines(self, start: datetime, end: datetime) -> Iterator[StatementLine]:
        first, last = int(start.timestamp()), -int(-end.timestamp() // 1)
        return lines_after(self._own.lines, first, last, self._until)

    def _key_fault(self, key: str) -> str | None:
        return None if fits_key(key) else f"1 to {KEY_MAX} printable characters"

    def _send(self, request: FrozenRequest, until: float) -> Reply:
        params = cast("TransferCreateParams", parameters(request.body))
        return self._calls.reply(
            lambda stripe: stripe.v1.transfers.create(params, {"idempotency_key": request.key}),
            until,
        )
