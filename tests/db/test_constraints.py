"""Every constraint a promise rests on is in the catalogue and on its page, and refuses what would break it."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
import sqlalchemy as sa

from db.errors import constraint_of
from tests.db.broken_obligations import OF_OBLIGATIONS, UNKNOWN
from tests.db.changed_payouts import OF_PAYOUTS_BY_UPDATE
from tests.db.changed_refunds import OF_REFUNDS, OF_REFUNDS_BY_UPDATE
from tests.db.every_table import ROWS
from tests.driving import every_state
from tests.fakes.bank import FakeBank
from tests.operating import opened, with_catalog

PAGE: Final = Path(__file__).parents[2] / "docs" / "constraints.md"
LISTED: Final = re.compile(r"^\| `(\w+)` \| `(\w+)` \| \S.+ \|$", re.MULTILINE)
CATALOGUE: Final = """
    SELECT c.relname, n.conname FROM pg_constraint n JOIN pg_class c ON c.oid = n.conrelid
    WHERE c.relnamespace = 'bursar'::regnamespace AND NOT c.relispartition AND n.contype <> 'n'
    UNION
    SELECT c.relname, i.relname FROM pg_index x
    JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_class c ON c.oid = x.indrelid
    WHERE c.relnamespace = 'bursar'::regnamespace AND NOT c.relispartition AND x.indisunique
    UNION
    SELECT c.relname, t.tgname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
    WHERE c.relnamespace = 'bursar'::regnamespace AND NOT c.relispartition AND NOT t.tgisinternal"""
WRITTEN: Final = """
    SELECT quote_ident(attname) FROM pg_attribute
    WHERE attrelid = to_regclass(%(table)s) AND attnum > 0 AND NOT attisdropped AND attgenerated = '' ORDER BY attnum"""
MONTH: Final = re.compile(r"_\d{4}_\d{2}(?=_)")


CHANGED: Final[dict[str, dict[str, object]]] = {
    **OF_REFUNDS,
    **OF_OBLIGATIONS,
    "accounts_kind_owner_currency_key": {"id": -1},
    "accounts_normal_check": {"normal": "X"},
    "accounts_stripes_check": {"stripes": 65, "bounded": False},
    "bounded_is_one_row": {"stripes": 2, "bounded": True},
    "aggregates_subjects_key": {"kind": "another"},
    "balances_account_fkey": {"account": -1},
    "balances_credits_check": {"credits": -1, "floor": None},
    "balances_debits_check": {"debits": -1, "floor": None},
    "never_below_zero": {"floor": "C", "debits": 2, "credits": 1},
    "catalog_queue_check": {"queue": "slow"},
    "catalog_shape_check": {"shape": "round"},
    "earnings_external_id_key": {"id": UNKNOWN},
    "earnings_amount_check": {"amount": 0},
    "earnings_payee_fkey": {"id": UNKNOWN, "external_id": "new", "payee": UNKNOWN},
    "earnings_gross_check": {"gross": 0},
    "earnings_kind_check": {"kind": "a gift"},
    "earnings_state_check": {"state": "LOST"},
    "share_is_of_the_gross": {"amount": 2000},
    "disputed_is_not_ready": {"held": True},
    "refunded_is_of_the_share": {"refunded": 1001},
    "concluded_says_what": {"state": "APPLIED", "outcome": None},
    "inbox_state_check": {"state": "LOST", "outcome": "lost"},
    "inbox_once_per_event": {"id": UNKNOWN},
    "inbox_body_is_bounded": {"body": "\\x" + "00" * 262_145},
    "accepted_has_a_name": {"state": "accepted", "provider_id": None},
    "effects_state_check": {"state": "perhaps", "taken_over": False, "reference": None},
    "effects_one_per_foreign_reference": {
        "key": UNKNOWN,
        "taken_over": True,
        "reference": "OLD-1",
        "state": "rejected",
        "sends": 1,
    },
    "ours_is_named_by_rule": {"taken_over": False, "reference": "OLD-9"},
    "taken_over_can_be_asked_about": {
        "taken_over": True,
        "state": "unknown",
        "sends": 1,
        "provider_id": None,
        "reference": None,
    },
    "taken_over_is_never_sent": {"taken_over": True, "reference": "OLD-9", "sends": 2},
    "sends_are_counted": {"sends": -1, "taken_over": False, "reference": None},
    "entries_key_key": {"id": -1},
    "entry_rules_side_check": {"side": "X"},
    "findings_severity_check": {"severity": "P9"},
    "resolved_by_whom_and_why": {"resolved_by": "me"},
    "installation_one_check": {"one": False},
    "legal_moves_guard_check": {"guard": "none"},
    "applications_token_hash_key": {"name": "another"},
    "applications_may_something": {"scopes": []},
    "booked_by_a_payment": {"state": "BOOKED", "external_id": "W-2"},
    "offers_end": {"state": "NOTIFIED", "external_id": "W-2"},
    "waitlist_appointment_fkey": {"id": UNKNOWN, "external_id": "W-2", "appointment": UNKNOWN},
    "waitlist_customer_fkey": {"id": UNKNOWN, "external_id": "W-2", "customer": UNKNOWN},
    "waitlist_payment_customer_fkey": {
        "id": UNKNOWN,
        "external_id": "W-2",
        "state": "BOOKED",
        "payment": UNKNOWN,
    },
    "waitlist_external_id_key": {"id": UNKNOWN, "state": "CANCELLED"},
    "waitlist_one_live": {"id": UNKNOWN, "external_id": "W-2"},
    "waitlist_priority_check": {"priority": -1},
    "waitlist_state_check": {"state": "LOST"},
    "mails_generation_check": {"generation": 0},
    "mails_occasion_check": {"occasion": 0},
    "mails_once_per_occasion": {"id": UNKNOWN},
    "mails_recipient_check": {"recipient": "mira@example.org, all@example.org"},
    "mails_state_check": {"state": "LOST"},
    "notices_one_per_place": {"id": UNKNOWN},
    "notices_sequence_check": {"sequence": 0},
    "notices_state_check": {"state": "LOST"},
    "operators_token_hash_key": {"name": "another"},
    "payees_email_check": {"email": "asha@example.org, all@example.org"},
    "payees_kind_check": {"kind": "robot"},
    "payees_tax_class_check": {"tax_class": "alien"},
    "payees_name_key": {"id": UNKNOWN},
    "payees_payable_fkey": {"id": UNKNOWN, "name": "new", "payable": -1},
    "payout_accounts_kind_check": {"kind": "cheque"},
    "payout_accounts_one_default": {
        "id": UNKNOWN,
        "fund_account_id": "fa_other",
        "is_default": True,
    },
    "payout_accounts_payee_fkey": {"id": UNKNOWN, "payee": UNKNOWN},
    "payout_accounts_payee_fund_account_id_key": {"id": UNKNOWN},
    "payout_earnings_one_live": {"payout": UNKNOWN, "live": True},
    "payout_earnings_earning_fkey": {"earning": UNKNOWN, "live": False},
    "payout_earnings_payout_fkey": {"payout": UNKNOWN, "live": False},
    "payouts_external_id_key": {"id": UNKNOWN},
    "payouts_account_payee_fkey": {"id": UNKNOWN, "external_id": "new", "account": UNKNOWN},
    "payouts_amount_check": {"amount": 0},
    "payouts_generation_check": {"generation": 0},
    "payouts_net_amount_check": {"amount": 5, "net_amount": 0, "tds_deducted": 5},
    "payouts_payee_kind_check": {"payee_kind": "robot"},
    "payouts_source_check": {"source": "thin air"},
    "payouts_wallet_fkey": {
        "id": UNKNOWN,
        "external_id": "new",
        "source": "wallets",
        "wallet": UNKNOWN,
    },
    "of_wallets_has_one": {"wallet": UNKNOWN},
    "payouts_state_check": {"state": "LOST", "effect_key": UNKNOWN, "approval_seal": "\\x00"},
    "payouts_tds_base_check": {"tds_base": -1},
    "payouts_tds_deducted_check": {"tds_deducted": -1},
    "payouts_tds_gross_check": {"tds_gross": -1},
    "gross_is_its_parts": {"tds_deducted": 1, "net_amount": 1, "amount": 3},
    "payouts_recovered_check": {"recovered": -1},
    "recovered_of_earnings_or_shares": {"recovered": 1},
    "approved_is_sealed": {"state": "APPROVED", "effect_key": None},
    "postings_amount_check": {"amount": 0},
    "two_accounts": {"debit": 1, "credit": 1},
    "postings_keep_the_rules": {"entry": -1},
    "proposals_one_live": {"id": -1},
    "two_people": {"approved_by": "asha"},
    "rate_limits_burst_check": {"burst": 0},
    "rate_limits_rate_per_second_check": {"rate_per_second": 0},
    "rejected_postings_once_a_run": {"id": -1},
    "runs_one_waiting_wake": {"id": -1, "request_key": None},
    "runs_one_per_request": {"id": -1, "state": "succeeded"},
    "only_wakes_have_wake_keys": {"origin": "tick"},
    "runs_origin_check": {"origin": "moon", "wake_key": None},
    "runs_state_check": {"state": "asleep"},
    "scope_is_small": {"scope": {"x": "y" * 70_000}},
    "statement_lines_once": {"number": -1},
    "statement_lines_side_check": {"side": "left"},
    "statement_lines_amount_check": {"amount": 0},
    "statement_lines_source_check": {"source": "thin air"},
    "statement_lines_state_check": {"state": "lost"},
    "statement_lines_matched_by_check": {"matched_by": "luck", "payout": UNKNOWN},
    "fee_is_of_the_amount": {"fee": 101},
    "matched_to_a_payout": {"state": "matched"},
    "one_rhythm": {"cron": "* * * * *", "every_seconds": 60},
    "schedule_settings_catch_up_check": {"catch_up": "sometimes"},
    "schedule_settings_every_seconds_check": {"every_seconds": 0, "cron": None},
    "reversals_are_below_zero": {"gross": -1},
    "tax_records_give_back_no_more": {
        "id": -1,
        "is_reversal": True,
        "gross": -1001,
        "share": -800,
        "base": -1000,
        "tax": -1,
    },
    "tax_records_once_paid": {"id": -1},
    "tax_records_payee_fkey": {"id": -1, "generation": 9, "payee": UNKNOWN},
    "tax_records_payout_fkey": {"id": -1, "payout": UNKNOWN},
    "tax_records_quarter_check": {"quarter": "Q5"},
    "tax_records_rate_bps_check": {"rate_bps": -1},
    "earning_takeovers_earning_fkey": {"earning": UNKNOWN},
    "earning_takeovers_state_check": {"state": "LOST"},
    "earning_taken_over_after_what_it_tells": {"as_of": "2999-01-01T00:00:00Z"},
    "takeovers_generation_check": {"generation": 0},
    "takeovers_payout_fkey": {"payout": UNKNOWN},
    "takeovers_state_check": {"state": "LOST"},
    "taken_over_after_what_it_tells": {"as_of": "2999-01-01T00:00:00Z"},
    "priors_are_told_whole": {"prior_gross": 1},
    "priors_are_of_something": {
        "prior_gross": 1,
        "prior_share": 1,
        "prior_base": -1,
        "prior_tax": 0,
    },
    "tax_years_are_financial_years": {"financial_year": "2026"},
    "tax_years_are_of_payouts": {"gross": -1},
    "tax_years_in_flight_are_of_the_year": {"open_gross": -1},
    "tax_years_payee_fkey": {"payee": UNKNOWN},
    "wallets_account_fkey": {"id": UNKNOWN, "currency": "USD", "account": -1},
    "wallets_account_key": {"id": UNKNOWN, "currency": "USD"},
    "wallets_frequency_check": {"frequency": "sometimes"},
    "wallets_minimum_check": {"minimum": 0},
    "wallets_payee_currency_key": {"id": UNKNOWN, "account": 1},
    "wallets_payee_fkey": {"id": UNKNOWN, "payee": UNKNOWN, "account": 1},
    "a_run_or_a_reason": {"outcome": "run", "run": None},
    "ticks_outcome_check": {"outcome": "lost", "run": None, "reason": "x"},
    "leased_by_somebody": {"token": 1, "leased_until": None, "holder": None},
    "customers_external_id_key": {"id": UNKNOWN, "payee": None},
    "customers_payee_key": {"id": UNKNOWN, "external_id": "new"},
    "customers_payee_fkey": {"id": UNKNOWN, "external_id": "new", "payee": UNKNOWN},
    "customers_organisation_fkey": {
        "id": UNKNOWN,
        "external_id": "new",
        "payee": None,
        "organisation": UNKNOWN,
    },
    "imported_records_kind_check": {"kind": "a dream"},
    "imported_after_what_it_tells": {"as_of": "2999-01-01T00:00:00Z"},
    "consultants_number_key": {"payee": UNKNOWN},
    "consultants_payee_fkey": {"payee": UNKNOWN, "number": -1},
    "plans_external_id_key": {"id": UNKNOWN},
    "plans_consultant_fkey": {"id": UNKNOWN, "external_id": "new", "consultant": UNKNOWN},
    "plans_kind_check": {"kind": "a gift"},
    "plans_price_check": {"price": 0},
    "plans_minutes_check": {"minutes": 0},
    "plans_times_check": {"times": 0},
    "appointments_external_id_key": {"id": UNKNOWN},
    "appointments_plan_fkey": {"id": UNKNOWN, "external_id": "new", "plan": UNKNOWN},
    "appointments_capacity_check": {"capacity": 0, "taken": 0},
    "appointments_state_check": {"state": "LOST"},
    "taken_is_within_capacity": {"taken": 3},
    "appointments_end_after_they_start": {"ends_at": "2027-01-01T10:00Z"},
    "slots_appointment_fkey": {"id": UNKNOWN, "appointment": UNKNOWN, "confirmed": False},
    "slots_consultant_fkey": {"id": UNKNOWN, "consultant": -1},
    "slots_take_a_day_at_most": {"ends_at": "2027-01-01T10:00Z"},
    "slots_are_of_this_age": {"starts_at": "1999-01-01T10:00Z", "confirmed": False},
    "one_place_at_a_time": {"id": UNKNOWN},
    "bookings_external_id_key": {"id": UNKNOWN},
    "bookings_customer_fkey": {"id": UNKNOWN, "external_id": "n", "key": "l", "customer": UNKNOWN},
    "bookings_plan_fkey": {"id": UNKNOWN, "external_id": "new", "key": "l", "plan": UNKNOWN},
    "bookings_state_check": {"state": "LOST"},
    "bookings_once_per_key": {"id": UNKNOWN, "external_id": "new"},
    "bookings_are_asked_for_whole": {"id": UNKNOWN, "external_id": "new", "key": None},
    "seats_once_per_booking": {"id": UNKNOWN},
    "seats_appointment_fkey": {"id": UNKNOWN, "appointment": UNKNOWN},
    "seats_booking_customer_fkey": {"id": UNKNOWN, "booking": UNKNOWN},
    "seats_places_check": {"places": 0},
    "seats_state_check": {"state": "LOST"},
    "payments_once_per_key": {"id": UNKNOWN},
    "payments_one_under_way": {"id": UNKNOWN, "key": "another"},
    "payments_one_that_pays": {
        "id": UNKNOWN,
        "key": "another",
        "state": "SUCCEEDED",
        "paid_at": "2027-01-01T10:00Z",
    },
    "payments_booking_customer_fkey": {"id": UNKNOWN, "key": "another", "booking": UNKNOWN},
    "payments_customer_organisation_fkey": {
        "id": UNKNOWN,
        "key": "another",
        "state": "FAILED",
        "organisation": UNKNOWN,
    },
    "taken_over_as_paid": {"taken_over": True, "state": "FAILED"},
    "payments_amount_check": {"amount": 0},
    "payments_state_check": {"state": "LOST"},
    "orphans_were_captured": {"orphaned": True, "paid_at": None},
    "captured_when": {"state": "SUCCEEDED"},
    "payment_legs_payment_fkey": {"payment": UNKNOWN},
    "payment_legs_account_fkey": {"kind": "wallet", "account": -1},
    "payment_legs_kind_check": {"kind": "luck", "account": 1},
    "payment_legs_amount_check": {"amount": 0},
    "our_legs_have_an_account": {"kind": "wallet"},
    "orders_payment_key": {"id": UNKNOWN},
    "orders_payment_fkey": {
        "id": UNKNOWN,
        "payment": UNKNOWN,
        "gateway_id": "order_2",
        "captured_as": None,
    },
    "orders_amount_check": {"amount": 0},
    "orders_state_check": {"state": "LOST", "captured_as": None},
    "orders_are_named_by_a_gateway": {"provider": None},
    "open_orders_can_be_paid": {
        "state": "OPEN",
        "provider": None,
        "gateway_id": None,
        "captured_as": None,
    },
    "captures_are_of_a_named_order": {"state": "CLOSING"},
    "orders_once_at_their_gateway": {"id": UNKNOWN, "payment": UNKNOWN, "captured_as": None},
    "orders_once_per_capture": {"id": UNKNOWN, "payment": UNKNOWN, "gateway_id": "order_2"},
    "disputes_once_per_name": {"id": UNKNOWN},
    "disputes_payment_fkey": {"id": UNKNOWN, "name": "disp_2", "payment": UNKNOWN},
    "disputes_amount_check": {"amount": 0},
    "disputes_state_check": {"state": "NEW"},
    "parked_with_a_reason": {"parked_reason": "because", "due_at": "2026-01-01T00:00:00Z"},
}
"""What a copy of a row that is there has other than it, to break each; nothing of a primary key."""
SAID: Final = {
    "postings_keep_the_rules": "entries_keep_to_their_accounts",
    "notices_stay_until_heard": "append_only",
    "proposals_end_once": "append_only",
    "refunds_count_in_their_legs": "refunds_are_of_a_leg",
    "refunds_move_in_their_legs": "refunds_are_of_the_leg",
}
"""What a trigger calls the promise, where not by its own name."""
ON_UPDATE: Final = {
    **OF_PAYOUTS_BY_UPDATE,
    **OF_REFUNDS_BY_UPDATE,
    "proposals_end_once": "DO $$ BEGIN UPDATE proposals SET outcome = 'a'; UPDATE proposals SET outcome = 'b'; END $$",
    "dispersals_payout_fkey": "UPDATE dispersals SET payout = gen_random_uuid()",
}
"""What breaks a promise about what may follow."""
ON_DELETE: Final = ("_append_only", "_stay_until_heard")
"""How promises are called that a DELETE breaks."""


def listed() -> set[tuple[str, str]]:
    """The page's constraints: table and name."""
    return set(LISTED.findall(PAGE.read_text(encoding="utf-8")))


@pytest.fixture
def connection(database_url: str, superuser_url: str) -> Iterator[sa.Connection]:
    """A superuser on a database with a row in every table."""
    with_catalog(database_url)
    with opened(database_url) as operator, opened(database_url, "bursar_worker") as worker:
        every_state(operator, worker, FakeBank())
    engine = sa.create_engine(superuser_url, poolclass=sa.pool.NullPool)
    with engine.connect() as connection:
        connection.exec_driver_sql("SET search_path = bursar")
        for statement in ROWS:
            connection.exec_driver_sql(statement)
        connection.commit()
        yield connection
    engine.dispose()


def test_each_promise_has_its_constraint_and_each_constraint_is_on_the_page_and_refuses(
    connection: sa.Connection,
) -> None:
    """As the owner, whom no grant stops: a copied row, with just what would break the promise."""
    rows = connection.exec_driver_sql(CATALOGUE).all()
    there = {(table, name) for table, name in rows if table != "alembic_version"}
    assert listed() == there
    kept = {name: refusal(connection, table, name) for table, name in sorted(there)}
    for name in (
        "payout_accounts_id_payee_key",
        "bookings_id_customer_key",
        "customers_id_organisation_key",
        "payments_id_customer_key",
        "wallets_id_payee_currency_account_key",
    ):
        kept.pop(name)  # holds what the primary key holds; a foreign key needs it
    broken = {name: by for name, by in kept.items() if by != SAID.get(name, by_name(name))}
    assert broken == {}, broken


def by_name(name: str) -> str:
    """What a refusal is called."""
    return "append_only" if name.endswith("_append_only") else name


def refusal(connection: sa.Connection, table: str, name: str) -> str | None:
    """Break one promise; returns the name of what refused it, None where nothing did."""
    changes = json.dumps(CHANGED.get(name, {}))
    # The names come out of the catalogue and of this module.
    columns = ", ".join(connection.exec_driver_sql(WRITTEN, {"table": table}).scalars())
    statement = f"""
        INSERT INTO {table} ({columns}) OVERRIDING SYSTEM VALUE
        SELECT {columns} FROM (
          SELECT (jsonb_populate_record(x.one, CAST(%(changes)s AS jsonb))).*
          FROM (SELECT t AS one FROM {table} t LIMIT 1) x) y"""  # noqa: S608  see above
    statement = ON_UPDATE.get(name, statement)
    if name.endswith(ON_DELETE):
        statement = f"DELETE FROM {table}"  # noqa: S608  see above
    try:
        connection.exec_driver_sql(statement, {"changes": changes})
    except sa.exc.DBAPIError as error:
        # A partition's index is called after its month.
        return MONTH.sub("", constraint_of(error) or str(error.orig))
    finally:
        connection.rollback()
        connection.exec_driver_sql("SET search_path = bursar")
    return None
