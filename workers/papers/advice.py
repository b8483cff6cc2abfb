"""The remittance advice of one payout as a paper."""

from typing import Final

from domain.payouts import PayoutState
from domain.remittance import Advice
from workers.papers.paper import Paper, Table

AMOUNTS: Final = (
    *("payout", "gross_minor", "tax_minor", "recovered_minor", "net_minor"),
    *("returned_minor", "clawed_back_minor", "settled_minor"),
)
LINES: Final = (
    *("earning", "kind", "earned_at", "sale_minor", "share_minor"),
    *("refunded_minor", "paid_minor", "refunded_since_minor"),
)

SAID: Final = {
    PayoutState.PENDING: "waits for approval: nothing was paid yet",
    PayoutState.APPROVED: "approved: nothing was paid yet",
    PayoutState.PROCESSING: "under way: the bank has not said yet that it was paid",
    PayoutState.COMPLETED: "paid",
    PayoutState.FAILED: "not paid: it did not arrive, and is owed still",
    PayoutState.CANCELLED: "not paid: it was withdrawn",
    PayoutState.REVERSED: "paid, and came back since: it is owed again",
}
RECOVERED: Final = {
    False: "Recovered: kept back of what the payee owed from earlier payouts.",
    True: "Recovered: kept back of what the payee owed from earlier payouts, and owed again since it came back.",
}


def paper(advice: Advice) -> Paper:
    """Return the paper. Raises `BrokenError` where the advice is not what the books say."""
    advice.check()
    return Paper(
        title=f"Remittance advice {advice.external_id}",
        facts=_facts(advice),
        tables=[_amounts(advice), *([_lines(advice)] if advice.is_earned else [])],
        notes=_notes(advice),
    )


def _facts(advice: Advice) -> dict[str, object]:
    return {
        "payout": advice.external_id,
        "id": advice.id,
        "payee": advice.payee,
        "state": advice.state.value,
        "meaning": SAID[advice.state],
        "utr": advice.utr,
        "paid_at": advice.completed_at,
        "sent_at": advice.sent_at,
        "created_at": advice.created_at,
        "returned_at": advice.posted.returned_at,
        "mode": advice.mode,
        "destination": advice.fund_account_id,
        "provider": advice.provider,
        "provider_id": advice.provider_id,
        "reference": advice.reference,
        "tax_rate_bps": advice.tax_rate_bps,
        "tax_base_minor": advice.tax_base_minor,
        "tax_financial_year": advice.tax_financial_year,
        "currency": advice.currency,
    }


def _amounts(advice: Advice) -> Table:
    row: dict[str, object] = {
        "payout": advice.external_id,
        "currency": advice.currency,
        "gross_minor": advice.gross_minor,
        "tax_minor": advice.tax_minor,
        "recovered_minor": advice.recovered_minor,
        "net_minor": advice.net_minor,
        "returned_minor": advice.posted.returned_minor,
        "clawed_back_minor": advice.clawed_back_minor,
        "settled_minor": advice.posted.settled_minor,
    }
    return Table(
        section="amounts",
        title="Amounts",
        columns=AMOUNTS,
        rows=[row],
        currency=advice.currency,
    )


def _lines(advice: Advice) -> Table:
    rows = [
        {
            "earning": line.earning,
            "kind": line.kind,
            "earned_at": line.earned_at,
            "currency": advice.currency,
            "sale_minor": line.sale_minor,
            "share_minor": line.share_minor,
            "refunded_minor": line.refunded_minor,
            "paid_minor": line.paid_minor,
            "refunded_since_minor": line.refunded_since_minor,
        }
        for line in advice.lines
    ]
    return Table(
        section="earnings",
        title="Earnings it pays",
        columns=LINES,
        rows=rows,
        currency=advice.currency,
        totals=[name for name in LINES if name.endswith("_minor")],
        empty="none of its own: they were paid by another payout",
    )


def _notes(advice: Advice) -> list[str]:
    notes = ["Times are UTC. Gross is tax, recovered and net; net is what was sent."]
    if advice.net_minor is None:
        notes.append("Tax is computed when it is sent: net is not known yet.")
    if advice.recovered_minor:
        notes.append(RECOVERED[advice.posted.returned_at is not None])
    if advice.clawed_back_minor:
        notes.append(
            "Clawed back: paid, and owed back by the payee, as it was given back to a customer or paid twice."
        )
    return notes
