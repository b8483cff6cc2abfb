"""What another system says of a payout is believed with what proves it; else it is named, with its rule."""

from datetime import UTC, datetime, timedelta

import pytest

from domain.opening_lines import OpeningLine, parse_opening
from domain.opening_rules import FIELDS
from domain.payout_rules import RAZORPAYX
from tests.opening import AS_OF, SENT_AT, WITHHELD, opening, texts

NAMED = {"provider_id": "pout_1"}
LATER = (AS_OF + timedelta(seconds=1)).isoformat()
TAXED = WITHHELD | NAMED
PAID = {"submitted_at": "2026-03-30T06:00:00Z", "completed_at": "2026-03-31T18:29:59.999Z"}
AT = datetime(2026, 11, 1, tzinfo=UTC)
OF_YEAR = TAXED | PAID | {"tds_financial_year": "2025-26"}

WRONG = [
    ("PAID", {}, "state", "must be one of PENDING, APPROVED"),
    ("PENDING", {"generation": "0"}, "generation", "a number from 1 to 99"),
    ("PENDING", {"source": "wallet"}, "source", "must be empty or one of import, earnings"),
    ("PENDING", {"created_at": "2026-03-30 06:00"}, "created_at", "with its zone"),
    ("PENDING", {"created_at": LATER}, "created_at", "must be before"),
    ("PENDING", {"idempotency_key": "k"}, "idempotency_key", "what may have been sent is PROCESSING"),
    ("PENDING", {"provider_id": "pout_1"}, "provider_id", "what may have been sent is PROCESSING"),
    ("APPROVED", {"submitted_at": SENT_AT.isoformat()}, "submitted_at", "is PROCESSING"),
    ("PROCESSING", {}, "reference", "its provider can be asked by nothing else"),
    ("PROCESSING", NAMED | {"submitted_at": ""}, "submitted_at", "must be given"),
    ("PROCESSING", NAMED | {"completed_at": SENT_AT.isoformat()}, "completed_at", "must be empty"),
    ("COMPLETED", {}, "provider_id", "must be given for a payout that is COMPLETED"),
    ("COMPLETED", NAMED | {"completed_at": ""}, "completed_at", "must be given"),
    ("COMPLETED", NAMED | {"completed_at": LATER}, "completed_at", "must be before"),
    ("COMPLETED", NAMED | {"submitted_at": LATER, "completed_at": ""}, "completed_at", "must be given"),
    ("COMPLETED", NAMED | {"completed_at": "2020-01-01T00:00Z"}, "completed_at", "not be before submitted_at"),
    ("FAILED", {"reason": ""}, "reason", "must be given"),
    ("FAILED", {"utr": "UTR1"}, "utr", "must be empty without a provider_id"),
    ("CANCELLED", {"reference": "OLD-1"}, "reference", "must be empty without a submitted_at"),
    ("REVERSED", TAXED | PAID | {"tds_financial_year": "2025-26"}, "gross", "nothing is withheld"),
    ("COMPLETED", TAXED | PAID, "tds_financial_year", "is told whole"),
    ("COMPLETED", TAXED | PAID | {"tds_financial_year": "2026-27"}, "tds_financial_year", "must be 2025-26"),
    ("COMPLETED", TAXED | PAID | {"tds_financial_year": "2025"}, "tds_financial_year", "such as 2026-27"),
    ("COMPLETED", OF_YEAR | {"source": ""}, "source", "must be earnings"),
    ("COMPLETED", OF_YEAR | {"tds_deducted": "9.00"}, "tds_deducted", "within a rupee"),
    ("COMPLETED", OF_YEAR | {"gross": "999.99"}, "gross", "must not be less"),
    ("COMPLETED", OF_YEAR | {"tds_rate_bps": "10001"}, "tds_rate_bps", "from 0 to 10000"),
    ("COMPLETED", NAMED | {"amount": "1e3"}, "amount", "decimal"),
]  # fmt: skip


@pytest.mark.parametrize(("state", "changes", "field", "rule"), WRONG)
def test_what_does_not_fit_names_row_field_and_rule(
    state: str, changes: dict[str, str], field: str, rule: str
) -> None:
    said = texts("A-1", "PENDING" if state == "PAID" else state, **changes) | {"state": state}
    errors = parse_opening([said[f] for f in FIELDS], "old.csv", 7, RAZORPAYX, AS_OF)

    assert isinstance(errors, list)
    told = {error.place: error.rule for error in errors}
    assert rule in told[f"old.csv row 7 field {field}"]


def test_a_line_has_one_spelling_whatever_its_file_wrote() -> None:
    one = opening("A-1", "COMPLETED", **NAMED, amount="1000.00")
    other = opening(
        "A-1",
        "COMPLETED",
        **NAMED,
        amount="1000",
        generation="1",
        source="import",
        submitted_at=SENT_AT.isoformat().replace("+00:00", "Z"),
    )
    assert (one.record, one.content_hash) == (other.record, other.content_hash)


def test_the_year_of_what_was_withheld_is_that_of_india() -> None:
    """Invariant 41: the last millisecond of a financial year."""
    said = texts("A-1", "COMPLETED", **TAXED, **PAID, tds_financial_year="2025-26")
    line = parse_opening([said[f] for f in FIELDS], "old.csv", 7, RAZORPAYX, AT)
    assert isinstance(line, OpeningLine)
    assert line.tax is not None
    assert (line.tax.period.quarter, line.net_minor) == ("Q4", 99_875)
