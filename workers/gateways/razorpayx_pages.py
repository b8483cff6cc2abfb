"""Reading RazorpayX: pages by `skip`, one payout by id, the balance."""

from collections.abc import Sequence
from typing import Final
from urllib.parse import quote

from domain.answers import LookUpFailed, ProviderPayout
from domain.razorpayx import PROVIDER
from domain.razorpayx_payouts import read_payout
from domain.razorpayx_statement import read_line
from domain.statements import StatementLine
from workers.gateways.classify import vendor_error
from workers.gateways.http import Http, Reply
from workers.gateways.pages import PAGE_MAX, Listed, Page, ReadFailedError, Under
from workers.gateways.reads import Patience, asked_for, payouts_of

NOT_FOUND: Final = frozenset({400, 404})

Params = dict[str, str | int]


class RazorpayXPages:
    """The provider's read calls for one account."""

    def __init__(self, http: Http, account_number: str) -> None:
        self._http = http
        self._account_number = account_number
        self._patience = Patience(PROVIDER)

    def page(self, listed: Listed, before: Sequence[ProviderPayout], until: float) -> Page:
        """Return what follows `before`, counted: full pages came before this one."""
        filters: Params = (
            {"reference_id": listed.reference}
            if isinstance(listed, Under)
            else {"from": listed.first, "to": listed.last}
        )
        params = {
            "account_number": self._account_number,
            "count": PAGE_MAX,
            "skip": len(before),
            **filters,
        }
        found = self._patience.document("list", lambda: self._get("payouts", params, until), until)
        payouts = payouts_of(found.get("items"), read_payout)
        return Page(payouts, is_last=len(payouts) < PAGE_MAX)

    def one(self, provider_id: str, until: float) -> ProviderPayout | None:
        """Return the payout of that id, None where there is none."""
        path = f"payouts/{quote(provider_id, safe='')}"
        reply = self._patience.reply("get", lambda: self._get(path, {}, until), until)
        if reply.status in NOT_FOUND and vendor_error(reply):
            return None
        return asked_for(read_payout(self._patience.checked("get", reply)), provider_id)

    def lines(self, first: int, last: int, skip: int, until: float) -> list[StatementLine]:
        """Return one page of statement lines from one unix second to another; raises `ReadFailedError`."""
        params: Params = {
            "account_number": self._account_number,
            "count": PAGE_MAX,
            "skip": skip,
            "from": first,
            "to": last,
        }
        found = self._patience.document(
            "statement", lambda: self._get("transactions", params, until), until
        )
        items = found.get("items")
        if not isinstance(items, list):
            raise ReadFailedError(LookUpFailed(reason="a page without items"))
        lines = [line for item in items if (line := read_line(item))]
        if len(lines) != len(items):
            raise ReadFailedError(LookUpFailed(reason="a page with an unreadable line"))
        return lines

    def balance(self, until: float) -> dict[str, int]:
        """Return what the account can pay out, in minor units by currency."""
        found: dict[str, int] = {}
        for item in self._balances(until):
            match item:
                case {
                    "account_number": self._account_number,
                    "currency": str(currency),
                    "available_amount": int(minor),
                }:
                    found[currency] = minor
                case _:  # another account's
                    continue
        if not found:
            raise ReadFailedError(LookUpFailed(reason="an answer without the account's balance"))
        return found

    def check(self, until: float) -> None:
        """Read the balance, and keep nothing of it."""
        self._balances(until)

    def _balances(self, until: float) -> list[object]:
        found = self._patience.document(
            "balance", lambda: self._get("banking_balances", {}, until), until
        )
        items = found.get("items")
        if not isinstance(items, list):
            raise ReadFailedError(LookUpFailed(reason="an answer without balances"))
        return items

    def _get(self, path: str, params: Params, until: float) -> Reply:
        return self._http.get(path, params, until)
