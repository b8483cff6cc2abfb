"""What is withheld: the golden numbers, the limit from both sides, and what holds for every amount."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, strategies as st

from domain.errors import BadInputError, BrokenError
from domain.tax import (
    LEGACY_LIMIT,
    LIMIT,
    Crossing,
    Engine,
    Payee,
    Rounding,
    TaxClass,
    Withheld,
    Withholding,
    Year,
    withhold,
)
from domain.tax_periods import check_financial_year, period
from domain.tax_rates import RATES, rate_on

NOW = rate_on(date(2026, 11, 27))
PERSON = Payee(TaxClass.INDIVIDUAL, has_pan=True)
DEFAULT = Withholding()


def taxed(
    gross: int, *, before: int = 0, payee: Payee = PERSON, policy: Withholding = DEFAULT
) -> Withheld:
    """A payout of all its gross, after `before` of which nothing was taxed."""
    year = Year(gross=before, share=before)
    return withhold(policy, NOW, payee, year, gross=gross, share=gross)


@pytest.mark.parametrize(
    ("payee", "before", "gross", "base", "tax"),
    [
        (PERSON, 0, 50_000_000, 0, 0),
        (PERSON, 49_900_000, 200_000, 100_000, 100),
        (Payee(TaxClass.COMPANY, has_pan=True), 0, 100_000, 100_000, 100),
        (Payee(TaxClass.INDIVIDUAL, has_pan=False), 0, 100_000, 100_000, 5_000),
        (Payee(TaxClass.COMPANY, has_pan=True), 0, 999, 999, 0),
    ],
)
def test_the_golden_numbers(payee: Payee, before: int, gross: int, base: int, tax: int) -> None:
    found = taxed(gross, before=before, payee=payee)
    assert (found.base, found.tax, found.net) == (base, tax, gross - tax)


@pytest.mark.parametrize("tax_class", TaxClass)
def test_only_individuals_and_families_with_a_pan_are_spared(tax_class: TaxClass) -> None:
    """Invariant 40: a company, or whoever is not known, from the first rupee; 500 bps without a PAN."""
    is_spared = tax_class in {TaxClass.INDIVIDUAL, TaxClass.HUF}
    assert taxed(10_000, payee=Payee(tax_class, has_pan=True)).tax == (0 if is_spared else 10)
    assert taxed(10_000, payee=Payee(tax_class, has_pan=False)).tax == 500


@pytest.mark.parametrize(
    ("crossing", "base"),
    [
        (Crossing.EXCESS_ONLY, 1),
        (Crossing.WHOLE_PAYOUT, 200_001),
        (Crossing.CATCH_UP, 50_000_001),
    ],
)
def test_five_lakh_is_free_and_one_paisa_more_is_taxed_by_the_policy(
    crossing: Crossing, base: int
) -> None:
    """Invariant 39."""
    policy = Withholding(crossing=crossing)
    before = LIMIT - 200_000
    assert taxed(200_000, before=before, policy=policy).base == 0
    assert taxed(200_001, before=before, policy=policy).base == base


def test_after_the_limit_everything_is_taxed_whatever_the_policy_and_nothing_twice() -> None:
    for crossing in Crossing:
        policy, year = Withholding(crossing=crossing), Year()
        for gross in (30_000_000, 30_000_000, 1_000_000):
            year = year.plus(withhold(policy, NOW, PERSON, year, gross=gross, share=gross))
        base = {Crossing.EXCESS_ONLY: 11_000_000, Crossing.WHOLE_PAYOUT: 31_000_000}
        assert year.base == base.get(crossing, 61_000_000)


def test_a_catch_up_that_was_made_is_not_made_again_when_the_year_shrinks_below_the_limit() -> None:
    year = Year(
        gross=200_000, share=200_000, base=LIMIT + 200_000
    )  # what it caught up was reversed
    policy = Withholding(crossing=Crossing.CATCH_UP)
    assert withhold(policy, NOW, PERSON, year, gross=LIMIT, share=LIMIT).base == 0


def test_the_law_looks_at_the_sale_and_the_legacy_engine_at_the_share() -> None:
    """TRAP: the base is the gross, before commission; the legacy engine took the payee's share of it."""
    year = Year(gross=LIMIT, share=LEGACY_LIMIT)
    found = {
        engine: withhold(
            Withholding(engine=engine), NOW, PERSON, year, gross=100_000, share=80_000
        ).base
        for engine in Engine
    }
    bases = {Engine.NONE: 0, Engine.LEGACY: 80_000, Engine.SHARE: 80_000, Engine.GROSS: 100_000}
    assert found == bases


def test_the_legacy_engine_spares_fifty_thousand_rupees_whoever_it_is() -> None:
    policy, nobody = Withholding(engine=Engine.LEGACY), Payee(TaxClass.UNKNOWN, has_pan=False)
    assert taxed(LEGACY_LIMIT, payee=nobody, policy=policy).base == 0
    assert taxed(LEGACY_LIMIT + 20, payee=nobody, policy=policy).tax == 1
    assert taxed(1_000, policy=Withholding(engine=Engine.SHARE)).tax == 1


def test_amounts_that_no_float_holds_are_taxed_to_the_paisa() -> None:
    """TRAP: `gross * 0.001` is wrong where a float has no such number; invariant 80."""
    company = Payee(TaxClass.COMPANY, has_pan=True)
    assert taxed(9_007_199_254_740_993_000, payee=company).tax == 9_007_199_254_740_993


@pytest.mark.parametrize(
    ("gross", "floor", "rupee"),
    [(49_999, 49, 0), (50_000, 50, 100), (149_999, 149, 100), (150_000, 150, 200)],
)
def test_a_fraction_goes_by_the_rule_that_is_chosen(gross: int, floor: int, rupee: int) -> None:
    company = Payee(TaxClass.COMPANY, has_pan=True)
    assert taxed(gross, payee=company).tax == floor
    nearest = Withholding(rounding=Rounding.NEAREST_RUPEE)
    assert taxed(gross, payee=company, policy=nearest).tax == rupee


MONEY = st.integers(min_value=1, max_value=10**15)
POLICIES = st.builds(
    Withholding,
    engine=st.sampled_from(Engine),
    crossing=st.sampled_from([Crossing.EXCESS_ONLY, Crossing.WHOLE_PAYOUT]),
    rounding=st.sampled_from(Rounding),
)
PAYEES = st.builds(Payee, st.sampled_from(TaxClass), st.booleans())


@given(POLICIES, PAYEES, st.lists(MONEY, min_size=1, max_size=8), st.integers(0, 100))
def test_what_is_sent_and_what_is_kept_is_what_is_owed(
    policy: Withholding, payee: Payee, sales: list[int], percent: int
) -> None:
    """Invariant 38: whole numbers, none below zero; and the year is the sum of its payouts."""
    year, one = Year(), None
    for gross in sales:
        share = gross - gross * percent // 200
        one = withhold(policy, NOW, payee, year, gross=gross, share=share)
        assert one.net + one.tax == share
        assert 0 <= one.base <= gross
        assert 0 <= one.tax <= one.base * one.rate_bps // 10_000 + 50
        year = year.plus(one)
    assert (year.gross, year.base >= 0) == (sum(sales), True)


@given(st.lists(MONEY, min_size=1, max_size=8), st.randoms())
def test_one_exemption_is_given_in_whatever_order_payouts_come(
    sales: list[int], chance: object
) -> None:
    """Invariant 39: in all, the excess over the limit is taxed, and no paisa of it twice."""
    chance.shuffle(sales)  # type: ignore[attr-defined]  # a random.Random
    year = Year()
    for gross in sales:
        year = year.plus(withhold(DEFAULT, NOW, PERSON, year, gross=gross, share=gross))
    assert year.base == max(0, sum(sales) - LIMIT)


@pytest.mark.parametrize(
    ("day", "bps", "section"),
    [
        (date(2024, 9, 30), 100, "194-O (Income-tax Act 1961)"),
        (date(2024, 10, 1), 10, "194-O (Income-tax Act 1961)"),
        (date(2026, 3, 31), 10, "194-O (Income-tax Act 1961)"),
        (date(2026, 4, 1), 10, "393(1) Table Sl. No. 8(v) (Income-tax Act 2025)"),
    ],
)
def test_the_rate_and_the_section_are_those_of_the_day(day: date, bps: int, section: str) -> None:
    """Invariant 43."""
    rate = rate_on(day)
    assert (rate.bps, rate.bps_without_pan, rate.section) == (bps, 500, section)


def test_the_table_of_rates_has_no_gap_and_a_beginning() -> None:
    assert [rate.until for rate in RATES] == [*(rate.since for rate in RATES[1:]), None]
    with pytest.raises(BrokenError, match="2021-03-31"):
        rate_on(RATES[0].since - timedelta(days=1))


@pytest.mark.parametrize(
    ("moment", "year", "quarter"),
    [
        ("2027-03-31T18:29:59.999+00:00", "2026-27", "Q4"),
        ("2027-03-31T18:30:00+00:00", "2027-28", "Q1"),
        ("2026-06-30T18:29:59.999+00:00", "2026-27", "Q1"),
        ("2026-06-30T18:30:00+00:00", "2026-27", "Q2"),
        ("2026-09-30T18:30:00+00:00", "2026-27", "Q3"),
        ("2026-12-31T18:30:00+00:00", "2026-27", "Q4"),
        ("2099-05-01T00:00:00+00:00", "2099-00", "Q1"),
    ],
)
def test_years_and_quarters_begin_at_midnight_in_india(
    moment: str, year: str, quarter: str
) -> None:
    """Invariant 41: to the millisecond."""
    found = period(datetime.fromisoformat(moment))
    assert (found.financial_year, found.quarter) == (year, quarter)


@given(st.integers(0, 5_000_000_000))
def test_a_moment_lies_in_one_quarter_of_a_year_that_can_be_asked_for(seconds: int) -> None:
    found = period(datetime(2022, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds))
    assert check_financial_year(found.financial_year, "--fy") == found.financial_year
    assert (found.quarter == "Q4") == (found.day.month <= 3)


@pytest.mark.parametrize("text", ["2026", "2026-28", "2026-2027", "26-27", ""])
def test_what_is_no_financial_year_is_refused(text: str) -> None:
    with pytest.raises(BadInputError, match="such as 2026-27"):
        check_financial_year(text, "--fy")
