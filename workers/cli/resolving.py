"""Settle what is in doubt: on the provider's own word, or as two people have agreed."""

from collections.abc import Mapping

from db.engine import Database
from db.payouts import listing, resolve
from db.payouts.resolve import Word
from db.tx import Tx
from domain.answers import Found, LookUpFailed
from domain.errors import BadInputError, RefusedError, UnreachableError
from workers.banks import open_bank
from workers.cli.context import Context


def by_provider(here: Context, payout: str, actor: str) -> dict[str, object]:
    """Ask the provider for exactly one payment under the payout's reference, and settle by it.

    Raises `RefusedError` where it has none or several, `UnreachableError` where it cannot be asked.
    """
    database: Database = here.database()
    with database.begin() as tx:
        doubt = resolve.doubt(tx, listing.find(tx, [payout])[payout])
    if not doubt.reference:
        raise RefusedError(
            f"another system sent payout {payout}, and nobody knows under which reference: the provider "
            f"can be asked about {doubt.provider_id} alone"
        )
    with open_bank(here.settings) as bank:
        if bank is None:
            raise RefusedError("no payout provider is configured: set BURSAR_PAYOUT_PROVIDER")
        found = bank.find(doubt.reference)
    match found:
        case LookUpFailed(reason=why):
            raise UnreachableError(f"the provider could not be asked, nothing was changed: {why}")
        case Found(payouts=(paid,)):
            with database.begin() as tx:
                state = resolve.adopt(tx, doubt.payout, paid, actor=actor)
            return {
                "id": doubt.payout,
                "state": state.value,
                "provider_id": paid.provider_id,
                "provider_status": paid.raw_status,
                "utr": paid.utr,
            }
        case Found(payouts=()):
            raise RefusedError(
                f"the provider has no payment under {doubt.reference} (its search may lag): nothing was "
                f"changed; `bursar propose payout.resolve {doubt.payout} --set result=unpaid` asks "
                "for a second person"
            )
        case Found(payouts=several):
            ids = ", ".join(p.provider_id for p in several)
            raise RefusedError(f"the provider has {len(several)} of {doubt.reference}: {ids}")


def by_two(tx: Tx, payout: str, arguments: Mapping[str, object], word: Word) -> str:
    """Settle a payout as two people say: `result=unpaid`, or `result=paid provider_id=…`."""
    id_, provider_id = listing.find(tx, [payout])[payout], checked(arguments)
    state = resolve.declare(tx, id_, word, provider_id=provider_id)
    return f"payout {payout} is {state}"


def checked(arguments: Mapping[str, object]) -> str | None:
    """Return the provider's id of a payment declared paid, None for one never paid.

    Raises `BadInputError` for anything else.
    """
    match dict(arguments):
        case {"result": "unpaid", **rest} if not rest:
            return None
        case {"result": "paid", "provider_id": str(provider_id), **rest} if (
            provider_id and not rest
        ):
            return provider_id
        case other:
            rule = "must be result=unpaid, or result=paid provider_id=…"
            raise BadInputError("payout.resolve", other, rule)
