"""A bank's statement held against books and effects: matched, in the books only, at the bank only, different."""

from dataclasses import replace
from datetime import timedelta

import pytest

from db.statements import balance, matching, missing, taking
from domain.errors import BadInputsError
from domain.payouts import PROCESS, RECOVER
from domain.statements import Side, Source
from jobs.payouts import reconcile_statement as module
from tests.builders import assert_sound, change, hurry, rows, seed
from tests.jobs.payouts.statements import DAY, SECOND, Desk, foreign, left
from workers.sandbox.faults import Fault


def test_what_was_paid_and_given_back_matches_and_the_same_again_adds_nothing(at: Desk) -> None:
    at.pay(3)
    at.pay(2, "failed")
    [late] = at.pay(1)
    at.say(late, "reversed")
    first = at.hold()
    assert (first.taken.new, first.missing, first.gaps) == (9, {}, 0)
    assert at.states() == {"matched": 9}
    assert at.told() == {}
    [row] = first.summary
    assert (row["lines"], row["debits_minor"], row["credits_minor"]) == (9, 60_015, 30_012)
    again = at.hold()
    assert (again.taken.new, again.taken.existing) == (0, 9)
    assert again.summary == first.summary
    assert_sound(at.outside)


@pytest.mark.parametrize("page", [1, 2, 5])
def test_pages_of_any_size_make_the_whole(
    at: Desk, monkeypatch: pytest.MonkeyPatch, page: int
) -> None:
    for part in (matching, missing, balance):
        monkeypatch.setattr(part, "PAGE", max(page, 2) if part is balance else page)
    monkeypatch.setattr(taking, "SET_MAX", page)
    at.pay(4)
    lines = at.lines()
    seen = at.hold([*lines[:1], *lines[2:], foreign(lines[-1])])
    assert at.states() == {"matched": 3, "unmatched": 1}
    assert (seen.missing, seen.gaps) == ({"INR": (1, lines[1].amount_minor)}, 1)
    assert len(at.told()) == 3


def test_a_line_of_no_payout_waits_for_its_grace_and_is_a_finding_then(at: Desk) -> None:
    at.pay()
    lines = at.lines()
    lines.append(foreign(lines[-1]))
    at.hold(lines, grace=DAY)
    assert at.states() == {"matched": 1, "waiting": 1}
    at.hold(lines)
    assert at.states() == {"matched": 1, "unmatched": 1}
    assert "7.77 INR" in at.told()["statement-line-unmatched:razorpayx:txn_foreign"]


def test_a_payout_the_bank_does_not_show_is_a_finding_until_a_later_statement_does(
    at: Desk,
) -> None:
    kept, lost = at.pay(2)
    lines = at.lines()
    seen = at.hold(lines[:1])
    assert seen.missing == {"INR": (1, 10_001)}
    assert set(at.told()) == {f"statement-missing:payout {lost}"}
    at.hold(lines)
    assert at.told() == {}
    assert at.states() == {"matched": 2}
    assert kept != lost


def test_what_ended_within_the_grace_may_still_be_shown(at: Desk) -> None:
    at.pay(2)
    lines = at.lines()
    assert at.hold(lines[:1], grace=3 * DAY).missing == {}
    assert at.told() == {}


def test_a_payout_of_a_day_between_two_files_is_found_by_the_later_run(at: Desk) -> None:
    """Files of Thursday, Friday and Monday: what ended on Saturday is in the time of none of them."""
    [id_] = at.pay()
    [unshown] = at.lines()
    hours = {"thursday": -60, "friday": -36, "monday": 48}
    seen = [
        at.hold_file(
            [
                foreign(
                    unshown,
                    line_id=day,
                    occurred_at=unshown.occurred_at + timedelta(hours=hour),
                    side=Side.CREDIT,
                    balance_minor=777 * number,
                )
            ],
            grace=DAY,
        )
        for number, (day, hour) in enumerate(hours.items())
    ]
    assert [run.missing for run in seen] == [{}, {}, {"INR": (1, unshown.amount_minor)}]
    assert set(at.told()) == {f"statement-missing:payout {id_}"}


def test_another_amount_is_a_finding(at: Desk) -> None:
    at.pay(2)
    first, second = at.lines()
    more = replace(second, amount_minor=second.amount_minor + 1)
    at.hold([first, more])
    assert at.states() == {"matched": 1, "differs": 1}
    detail = at.told()[f"statement-amount-differs:razorpayx:{more.line_id}"]
    assert "100.02 INR" in detail
    assert f"payout {at.ids[1]} is of 100.01 INR" in detail


def test_the_net_amount_is_what_is_compared(at: Desk) -> None:
    """What is withheld never leaves the account."""
    at.pay()
    change(at.outside, "UPDATE payouts SET net_amount = amount - 100, tds_deducted = 100")
    [line] = at.lines()
    at.hold([replace(line, amount_minor=line.amount_minor - 100)])
    assert at.states() == {"matched": 1}


def test_charges_of_the_bank_and_money_put_in_are_classes_of_their_own(at: Desk) -> None:
    at.pay()
    [line] = at.lines()
    dear = replace(line, amount_minor=line.amount_minor + 590, fee_minor=590)
    fee = foreign(dear, line_id="txn_fee", source=Source.FEE)
    deposit = foreign(fee, line_id="txn_in", side=Side.CREDIT, balance_minor=dear.balance_minor)
    seen = at.hold([dear, fee, deposit])
    assert at.states() == {"matched": 1, "fee": 1, "deposit": 1}
    assert at.told() == {}
    assert {row["state"]: row["fees_minor"] for row in seen.summary}["matched"] == 590


def test_a_line_that_comes_before_we_heard_is_named_and_matched_later(at: Desk) -> None:
    """The reply to the send was lost: the bank's line knows a name that we do not."""
    at.home.bank.script(Fault.DROP)
    seed(str(at.outside.options.url), 1)
    at.home.run(PROCESS)
    at.ids += [row.id for row in rows(at.outside, "SELECT id FROM payouts")]
    at.hold(grace=DAY)
    assert at.states() == {"waiting": 1}
    hurry(at.outside)
    at.home.run(RECOVER)
    at.hold()
    assert at.states() == {"waiting": 1}, "under way: neither side has the last word yet"
    at.say(at.ids[0], "processed")
    at.hold()
    assert at.states() == {"matched": 1}
    assert at.told() == {}


def test_a_reversal_nobody_here_heard_of_is_a_finding_until_it_is_booked(at: Desk) -> None:
    """Invariant 26."""
    [id_] = at.pay()
    at.hold()
    at.say(id_, "reversed", heard=False)
    at.hold(grace=DAY)
    assert at.states() == {"matched": 1, "waiting": 1}
    at.hold()
    assert "the books say COMPLETED" in at.told()[f"statement-state-differs:payout {id_}"]
    at.say(id_, "reversed")
    at.hold()
    assert at.states() == {"matched": 2}
    assert at.told() == {}


def test_money_that_left_for_what_failed_here_is_a_finding_until_it_is_back(at: Desk) -> None:
    """F68: the books say failed, and the bank has not given it back."""
    [id_] = at.pay(1, "failed")
    debit, _ = at.lines()
    at.hold([debit])
    assert "the books say FAILED: 0.00 INR" in at.told()[f"statement-state-differs:payout {id_}"]
    at.hold()
    assert at.states() == {"matched": 2}
    assert at.told() == {}


def test_a_reversal_in_the_books_that_the_bank_does_not_show_is_a_finding(at: Desk) -> None:
    [id_] = at.pay()
    at.hold()
    at.say(id_, "reversed")
    at.hold(at.lines()[:1])
    assert "REVERSED" in at.told()[f"statement-missing:payout {id_}"]
    at.hold()
    assert at.told() == {}


def test_a_payout_debited_twice_is_a_finding(at: Desk) -> None:
    """Invariant 1, as the bank's own account has it."""
    [id_] = at.pay()
    [line] = at.lines()
    twice = replace(
        line,
        line_id="txn_twice",
        occurred_at=line.occurred_at + SECOND,
        balance_minor=left(line.balance_minor) - line.amount_minor,
    )
    at.hold([line, twice])
    assert at.states() == {"differs": 2}
    assert "the bank moved 200.00 INR" in at.told()[f"statement-state-differs:payout {id_}"]


def test_a_line_without_the_providers_id_is_found_by_its_utr(at: Desk) -> None:
    at.pay(2)
    unnamed = [replace(line, source_id=None) for line in at.lines()]
    at.hold(unnamed)
    found = rows(at.outside, "SELECT DISTINCT state, matched_by FROM statement_lines")
    assert [(row.state, row.matched_by) for row in found] == [("matched", "utr")]
    assert at.told() == {}


@pytest.mark.parametrize("is_known_late", [False, True])
def test_a_return_long_after_its_payment_is_no_deposit(at: Desk, is_known_late: bool) -> None:  # noqa: FBT001 - a parameter of the test
    """A credit that names a debit of ours gives it back, whatever its age, also where its UTR comes late."""
    [id_] = at.pay()
    [debit] = at.lines()
    # That it ended is in the time of neither file.
    debit = replace(debit, occurred_at=debit.occurred_at - 150 * DAY)
    back = replace(
        debit,
        line_id="txn_back",
        occurred_at=debit.occurred_at + 90 * DAY,
        side=Side.CREDIT,
        balance_minor=left(debit.balance_minor) + debit.amount_minor,
        source=Source.OTHER,
        source_id=None,
    )
    at.hold_file([debit])
    if is_known_late:
        at.hold_file([replace(back, utr=None)])
        assert at.states() == {"matched": 1, "deposit": 1}
    at.hold_file([back])
    assert "the books say COMPLETED" in at.told()[f"statement-state-differs:payout {id_}"]
    assert at.states() == {"matched": 1, "differs": 1}


def test_one_utr_of_two_payouts_is_that_of_the_payout_of_its_amount(at: Desk) -> None:
    at.pay(2)
    change(at.outside, "UPDATE effects SET utr = 'SAME00000000'")
    at.hold([replace(line, source_id=None, utr="SAME00000000") for line in at.lines()])
    assert at.states() == {"matched": 2}


def test_a_utr_that_becomes_known_is_no_other_content(at: Desk) -> None:
    at.pay()
    [line] = at.lines()
    at.hold([replace(line, utr=None)])
    at.hold([line])
    assert [row.utr for row in rows(at.outside, "SELECT utr FROM statement_lines")] == [line.utr]
    at.hold([replace(line, utr=None)])
    assert [row.utr for row in rows(at.outside, "SELECT utr FROM statement_lines")] == [line.utr]


def test_the_same_line_with_other_content_is_refused_by_name_and_nothing_is_written(
    at: Desk,
) -> None:
    at.pay(2)
    first, second = at.lines()
    at.hold([first])
    other = replace(first, amount_minor=1, balance_minor=2)
    with pytest.raises(BadInputsError) as refused:
        at.hold([second, other])
    named = [str(error) for error in refused.value.errors]
    assert len(named) == 2
    assert named[0].startswith("s.csv row 3 field amount: '1': line ")
    assert "was read before with '10000' here" in named[0]
    assert at.states() == {"matched": 1}


def test_what_a_person_explained_stays_explained(at: Desk) -> None:
    [id_, _] = at.pay(2)
    lines = at.lines()
    held = [lines[1], foreign(lines[1])]
    at.hold(held)
    change(
        at.outside,
        """UPDATE findings SET resolved_at = clock_timestamp(), resolved_by = 'asha', resolution = 'rent'
           WHERE kind IN ('statement-line-unmatched', 'statement-missing')""",
    )
    seen = at.hold(held)
    assert at.states() == {"matched": 1, "explained": 1}
    assert seen.missing == {}
    assert f"statement-missing:payout {id_}" not in at.told()
    assert "statement-line-unmatched:razorpayx:txn_foreign" not in at.told()


def test_what_a_person_explained_of_a_payout_explains_no_later_line_of_it(at: Desk) -> None:
    """The word was about the lines that were there: money that leaves for it afterwards is a new matter."""
    [id_] = at.pay()
    [line] = at.lines()
    twice, thrice = (
        replace(
            line,
            line_id=f"txn_{n}",
            occurred_at=line.occurred_at + n * SECOND,
            balance_minor=left(line.balance_minor) - n * line.amount_minor,
        )
        for n in (1, 2)
    )
    at.hold([line, twice])
    change(
        at.outside,
        """UPDATE findings SET resolved_at = clock_timestamp(), resolved_by = 'asha', resolution = 'agreed'
           WHERE kind = 'statement-state-differs'""",
    )
    at.hold([line, twice])
    assert at.states() == {"explained": 2}
    for _ in range(2):
        at.hold([line, twice, thrice])
        assert at.states() == {"explained": 2, "differs": 1}
        assert "the bank moved 300.00 INR" in at.told()[f"statement-state-differs:payout {id_}"]


def test_findings_have_a_bound_and_the_rest_is_counted(
    at: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "NAMED_MAX", 2)
    at.pay()
    lines = at.lines()
    for number in range(4):
        lines.append(foreign(lines[-1], line_id=f"txn_f{number}"))
    at.hold(lines)
    assert at.states() == {"matched": 1, "unmatched": 4}
    assert at.told()["statement-line-unmatched:razorpayx"].startswith("4 in all")
    assert len(at.told()) == 3
    monkeypatch.setattr(module, "NAMED_MAX", 4)
    at.hold(lines)
    assert "statement-line-unmatched:razorpayx" not in at.told()


def test_lines_of_long_ago_cost_nothing_and_the_first_statement_accuses_nobody(at: Desk) -> None:
    """What ended before the first line that is known is of a statement nobody brought."""
    at.pay()
    change(at.outside, "UPDATE effects SET accepted_at = accepted_at - interval '1 day'")
    at.home.bank.advance(timedelta(minutes=1))
    at.pay()
    assert at.hold(at.lines()[1:]).missing == {}
