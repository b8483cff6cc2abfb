"""Reading Stripe: transfers by cursor, one by id, the account that the key is of."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from domain.answers import LookUpFailed, ProviderPayout
from domain.entities import text
from domain.statements import StatementLine
from domain.stripe import PROVIDER
from domain.stripe_statement import moves_nothing, read_line
from domain.stripe_transfers import read_transfer
from workers.gateways.classify import vendor_error, words
from workers.gateways.pages import PAGE_MAX, Listed, Page, ReadFailedError, Under
from workers.gateways.reads import Patience, asked_for, payouts_of
from workers.gateways.stripe_calls import Call, Calls

if TYPE_CHECKING:
    from stripe.params import BalanceTransactionListParams, TransferListParams

NOT_FOUND: Final = 404


class StripePages:
    """The provider's read calls for one account."""

    def __init__(self, calls: Calls, account: str) -> None:
        self._calls = calls
        self._account = account
        self._patience = Patience(PROVIDER)

    def page(self, listed: Listed, before: Sequence[ProviderPayout], until: float) -> Page:
        """Return what follows the last of `before`."""
        params: TransferListParams = {"limit": PAGE_MAX}
        if isinstance(listed, Under):
            params["transfer_group"] = listed.reference
        else:
            params["created"] = {"gte": listed.first, "lte": listed.last}
        if before:
            params["starting_after"] = before[-1].provider_id
        found = self._document("list", lambda stripe: stripe.v1.transfers.list(params), until)
        payouts = payouts_of(found.get("data"), read_transfer)
        return Page(payouts, is_last=not _has_more(found, payouts))

    def lines(
        self, first: int, end: int, after: str | None, until: float
    ) -> tuple[list[StatementLine], str | None]:
        """Return one page of the balance's lines of `[first, end)`, newest first, and where the next one begins.

        Raises `ReadFailedError`, also for a page with a line that cannot be read.
        """
        params: BalanceTransactionListParams = {
            "limit": PAGE_MAX,
            "created": {"gte": first, "lt": end},
            "expand": ["data.source"],
        }
        if after is not None:
            params["starting_after"] = after
        found = self._document(
            "statement", lambda stripe: stripe.v1.balance_transactions.list(params), until
        )
        items = found.get("data")
        if not isinstance(items, list):
            raise ReadFailedError(LookUpFailed(reason="a page without items"))
        moving = [item for item in items if not moves_nothing(item)]
        lines = [line for item in moving if (line := read_line(item, self._account))]
        if len(lines) != len(moving):
            raise ReadFailedError(LookUpFailed(reason="a page with an unreadable line"))
        return lines, _last_id(items) if _has_more(found, items) else None

    def one(self, provider_id: str, until: float) -> ProviderPayout | None:
        """Return the transfer of that id, None where there is none."""
        reply = self._patience.reply(
            "get",
            lambda: self._calls.reply(
                lambda stripe: stripe.v1.transfers.retrieve(provider_id), until
            ),
            until,
        )
        if reply.status == NOT_FOUND and vendor_error(reply):
            return None
        return asked_for(read_transfer(self._patience.checked("get", reply)), provider_id)

    def balance(self, until: float) -> dict[str, int]:
        """Return what is available, in minor units by currency."""
        found = self._document("balance", lambda stripe: stripe.v1.balance.retrieve(), until)
        available = found.get("available")
        if not isinstance(available, list):
            raise ReadFailedError(LookUpFailed(reason="an answer without balances"))
        amounts: dict[str, int] = {}
        for item in available:
            match item:
                case {"currency": str(currency), "amount": int(minor)}:
                    amounts[currency.upper()] = minor
                case _:
                    raise ReadFailedError(LookUpFailed(reason="a balance that cannot be read"))
        return amounts

    def check(self, until: float) -> None:
        """Read the balance, and whose it is: a key of another account would pay from there."""
        self.balance(until)
        account = self._document(
            "account", lambda stripe: stripe.v1.accounts.retrieve_current(), until
        ).get("id")
        if account != self._account:
            reason = f"the key is of account {words(account)}, not of {self._account}"
            raise ReadFailedError(LookUpFailed(reason=reason))

    def _document(self, call: str, ask: Call, until: float) -> Mapping[str, object]:
        return self._patience.document(call, lambda: self._calls.reply(ask, until), until)


def _has_more(page: Mapping[str, object], items: Sequence[object]) -> bool:
    """Say whether a list goes on; raises `ReadFailedError` where a page does not say."""
    has_more = page.get("has_more")
    if not isinstance(has_more, bool) or (has_more and not items):
        raise ReadFailedError(LookUpFailed(reason="a page that does not say where it ends"))
    return has_more


def _last_id(items: Sequence[object]) -> str:
    last = items[-1]
    found = text(last, "id") if isinstance(last, dict) else None
    if found is None:
        raise ReadFailedError(LookUpFailed(reason="a page that cannot be gone on after"))
    return found
