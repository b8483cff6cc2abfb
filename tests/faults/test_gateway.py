"""The bank is slow, says no, forgets a key, or cannot be reached: nothing is guessed, nothing fails by age."""

import pytest

from domain.payout_ids import reference
from tests.builders import change, hurry, rows, states
from tests.faults.gate import Gate
from tests.faults.houses import House
from tests.waiting import eventually

HOURS = 3600.0


@pytest.mark.parametrize("bank", [{"process_seconds": 6 * HOURS}], indirect=True)
def test_a_payout_in_process_for_hours_stays_open_and_is_only_asked_about(home: House) -> None:
    """F64: asked again and again, backing off; never sent again, never failed for its silence."""
    home.seed(3)
    home.start()
    home.accepted(3)

    def asked() -> bool:
        hurry(home.database, "payouts.follow")
        [row] = rows(home.database, "SELECT min(tries) AS tries FROM work")
        return bool(row.tries >= 4)

    eventually(asked, what="asked four times")
    assert states(home.database) == {"PROCESSING": 3}
    home.bank.advance(6 * HOURS)

    def completed() -> bool:
        hurry(home.database, "payouts.follow")
        return states(home.database) == {"COMPLETED": 3}

    eventually(completed, what="completed")
    assert len(home.recorder.sent) == 3
    home.assert_each_paid_once(3)


@pytest.mark.parametrize("strike", ["kill:before_call", "kill:after_call"])
def test_a_send_under_an_expired_key_is_looked_up_and_never_repeated(
    home: House, strike: str
) -> None:
    """F65: eight days later the same key would pay again; found it is adopted, else a person decides."""
    [id_] = home.seed()
    home.start(strike).ended()
    change(home.database, "UPDATE effects SET first_sent_at = first_sent_at - interval '8 days'")
    home.bank.advance(8 * 24 * HOURS)
    home.lapse()
    sent = list(home.recorder.sent)
    home.start()
    if strike == "kill:after_call":
        home.accepted(1)
    else:
        eventually(lambda: home.payout(id_).w_parked, what="parked for a person")
        found = "SELECT severity FROM findings WHERE kind = 'payout-unknown-too-long'"
        assert len(rows(home.database, found)) == 1
        assert home.payout(id_).state == "PROCESSING"
    assert home.recorder.sent == sent
    home.assert_each_paid_once(int(strike == "kill:after_call"))


def test_a_refusal_fails_the_payout_and_only_an_operator_sends_it_again(home: House) -> None:
    """F63: failed with its reason, the books reversed; the operator's attempt has a new key."""
    [refused, *_] = home.seed(3)
    home.bank.order("refuse", reference=reference(refused, 1))
    home.start()
    eventually(lambda: home.payout(refused).state == "FAILED", what="failed")
    home.accepted(2)
    assert home.payout(refused).w_job is None
    [first] = home.sent(refused)
    retried = home.bursar("payouts", "retry", str(refused), "--why", "its account was corrected")
    assert retried.ended() == 0, retried.log.read_text()
    home.accepted(3)
    [_, second] = home.sent(refused)
    assert reference(refused, 2).encode() in second.body
    assert second.key != first.key
    home.assert_each_paid_once(3)


def test_a_bank_out_of_reach_fails_nothing(far_home: House, door: Gate) -> None:
    """F66: cut in the middle of a batch, shut for a while, open again: each is paid once."""
    far_home.start().ready()
    far_home.seed(200)
    eventually(lambda: far_home.count("accepted") > 20, what="a batch under way")
    door.shut()
    eventually(lambda: far_home.count("not_sent") > 10, what="payouts put back")
    assert "FAILED" not in states(far_home.database)
    door.open()

    def done() -> bool:
        hurry(far_home.database)
        return far_home.count("accepted") == 200

    eventually(done, what="all of it")
    assert rows(far_home.database, "SELECT FROM moves WHERE target = 'FAILED'") == []
    far_home.assert_each_paid_once(200)
