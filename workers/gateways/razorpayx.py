"""RazorpayX as a `Bank`: the payouts of one account."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from domain.ports import FrozenRequest, PayoutOrder
from domain.razorpayx import PROVIDER, fits_key, freeze
from domain.statements import StatementLine
from workers.gateways.client import LOOK_UP_GRACE, Client
from workers.gateways.http import Http, Reply
from workers.gateways.razorpayx_pages import RazorpayXPages
from workers.gateways.razorpayx_replies import DIALECT, KEY_HEADER
from workers.gateways.statements import lines_between


class RazorpayX(Client):
    """The RazorpayX payout API of one account."""

    provider = PROVIDER
    key_window = timedelta(days=7)  # RazorpayX, payout idempotency
    dialect = DIALECT

    def __init__(
        self,
        *,
        url: str,
        key_id: str,
        key_secret: str,
        account_number: str,
        timeout_seconds: float,
        connections_max: int,
        look_up_grace: timedelta = LOOK_UP_GRACE,
    ) -> None:
        """Open no connection yet; raises `BadInputError` for an unsafe `url`."""
        http = Http(url=url, auth=(key_id, key_secret), connections_max=connections_max)
        self._own = RazorpayXPages(http, account_number)
        super().__init__(
            account=account_number,
            http=http,
            pages=self._own,
            timeout_seconds=timeout_seconds,
            look_up_grace=look_up_grace,
        )

    def freeze(self, order: PayoutOrder) -> str:
        """Return the exact request body for `order`; raises `BadInputError` naming a bad field."""
        return freeze(order, self.account)

    def _lines(self, start: datetime, end: datetime) -> Iterator[StatementLine]:
        first, last = int(start.timestamp()), -int(-end.timestamp() // 1)
        return lines_between(self._own.lines, first, last, self._until)

    def _key_fault(self, key: str) -> str | None:
        return None if fits_key(key) else "4 to 36 of A-Z a-z 0-9 _ - space"

    def _send(self, request: FrozenRequest, until: float) -> Reply:
        return self._http.post("payouts", request.body.encode(), {KEY_HEADER: request.key}, until)
