"""Where payees are paid changes: what is made already keeps its account, and is not paid to one that is closed."""

import json
from uuid import UUID

import pytest

from db.payees import accounts, listing, setting
from db.payees.words import AccountWords
from db.payouts.decide import decide
from domain.decisions import Decision
from domain.errors import BadInputsError, RefusedError
from domain.payees import AccountKind
from domain.payouts import PayoutState
from domain.tax import Engine, Withholding
from jobs.payouts.process import ProcessPayouts
from tests.builders import abandon, assert_sound, change, hurry, payout, rows, seed
from tests.earning import earn, earning, know, owe, payee
from tests.kit.world import Scene

PROCESS, BATCH = "payouts.process", "payouts.batch"
NAME, OLD, NEW = "payee 0", "fa_payee_0", "fa_new"
SECOND = payee(NAME, fund_account_id=NEW, default=False)


def say(world: Scene, fund_account_id: str, **words: bool | AccountKind) -> None:
    """What an operator says of an account of the one payee."""
    with world.operator.begin() as tx:
        found = listing.find(tx, NAME)
        said = AccountWords(fund_account_id=fund_account_id, **words)  # type: ignore[arg-type]  # words by name
        accounts.set_account(tx, found, said, actor="asha", why="her bank wrote")


def say_residence(world: Scene, *, resident: bool) -> None:
    with world.operator.begin() as tx:
        id_, _ = listing.find(tx, NAME)
        setting.set_residence(tx, id_, resident=resident, actor="asha", why="she moved")


def batched(world: Scene) -> UUID:
    """A payout of two earnings that a batch made for the old account, and approved; the new one is known."""
    owe(world.url, 2, payees=1)
    world.run(BATCH)
    know(world.operator, [SECOND])
    [made] = rows(world.owner, "SELECT id FROM payouts")
    return UUID(str(made.id))


def paid_to(world: Scene) -> list[str]:
    """The accounts that were paid, in order."""
    return [json.loads(sent.body)["fund_account_id"] for sent in world.bank.submits]


def test_the_account_is_closed_and_a_new_one_is_paid(world: Scene) -> None:
    """Invariant 22: what was approved for it is parked; cancelled, the next batch pays the new one."""
    made = batched(world)
    say(world, OLD, is_active=False)
    say(world, NEW, is_default=True)
    world.run(PROCESS)
    found = payout(world.owner, made)
    assert (found.state, found.w_parked) == ("APPROVED", "its payout account is not active")
    assert world.bank.submits == []

    with world.operator.begin() as tx:
        [moved] = decide(tx, Decision.CANCEL, [made], actor="asha", why="closed")
    assert moved.outcome == "moved"
    world.run(BATCH, period="day")
    world.run(PROCESS)
    assert paid_to(world) == [NEW]
    assert_sound(world.owner)


def test_what_is_approved_keeps_the_account_it_was_approved_for(world: Scene) -> None:
    """Invariant 4: another default changes no payout that is made; its seal still fits."""
    made = batched(world)
    say(world, NEW, is_default=True)
    world.run(PROCESS)
    assert payout(world.owner, made).state == PayoutState.PROCESSING
    assert paid_to(world) == [OLD]
    assert_sound(world.owner)


def test_what_may_have_been_sent_to_an_account_that_is_closed_now_is_asked_about(
    world: Scene,
) -> None:
    """Not parked: its provider may have paid it, and says so."""
    made = batched(world)
    assert abandon(world) == [made]
    say(world, OLD, is_active=False)
    world.run(PROCESS)
    found = payout(world.owner, made)
    assert (found.w_job, found.w_parked) == ("payouts.recover", None)
    assert "not active" in found.w_error
    hurry(world.owner)
    world.run("payouts.recover")
    assert payout(world.owner, made).e_state == "accepted"
    assert_sound(world.owner)


def test_there_is_one_default_and_each_word_is_kept(world: Scene) -> None:
    batched(world)
    say(world, NEW, is_default=True, is_verified=True)
    found = rows(
        world.owner,
        "SELECT fund_account_id FROM payout_accounts WHERE is_default AND verified AND active",
    )
    assert [row.fund_account_id for row in found] == [NEW]
    with world.operator.begin() as tx:
        kept = listing.history(tx, listing.find(tx, NAME)[0])
    assert [(line.what, line.fund_account_id, line.who, line.why) for line in kept] == [
        ("payee.account.verified", NEW, "asha", "her bank wrote"),
        ("payee.account.default", NEW, "asha", "her bank wrote"),
        ("payee.account.no-default", OLD, "asha", "her bank wrote"),
    ]


@pytest.mark.parametrize(
    ("words", "field"), [({"is_verified": False}, "verified"), ({"is_default": True}, "default")]
)
def test_an_older_file_takes_no_operators_word_back(
    world: Scene, words: dict[str, bool], field: str
) -> None:
    """A file fills in what nobody told; what a person said is told."""
    batched(world)
    say(world, NEW if field == "default" else OLD, **words)
    with pytest.raises(BadInputsError, match=f"field {field}.*payees set"):
        know(world.operator, [payee(NAME)])


def test_an_account_turns_out_to_be_a_vpa_and_is_paid_by_upi_from_then_on(world: Scene) -> None:
    """Invariant 4: not while a request is under way that was frozen for a bank's account."""
    batched(world)
    abandon(world, sent=False)
    with pytest.raises(RefusedError, match="is under way to it, as it was"):
        say(world, OLD, kind=AccountKind.VPA)
    hurry(world.owner)
    world.run(PROCESS)
    say(world, OLD, kind=AccountKind.VPA)
    earn(world.operator, [earning("E-9")])
    world.run(BATCH, period="day")
    world.run(PROCESS)
    assert [json.loads(sent.body)["mode"] for sent in world.bank.submits] == ["IMPS", "UPI"]


@pytest.mark.parametrize(("each", "is_sent"), [(9_999_999, True), (10_000_000, False)])
def test_a_vpa_is_paid_by_upi_up_to_its_limit_and_not_a_paisa_more(
    world: Scene, *, each: int, is_sent: bool
) -> None:
    """Parked before any call, with its reason and a finding: no other mode leads there."""
    world.jobs = {**world.jobs, PROCESS: sender(world, Engine.NONE)}
    know(world.operator, [payee(NAME, account_kind="vpa")])
    owe(world.url, 1, payees=1, each=each)
    world.run(BATCH)
    [made] = rows(world.owner, "SELECT id, state FROM payouts")
    if made.state == "PENDING":
        with world.operator.begin() as tx:
            decide(tx, Decision.APPROVE, [made.id], actor="asha", why="looked at")
    world.run(PROCESS)
    found = payout(world.owner, made.id)
    if is_sent:
        [sent] = world.bank.submits
        assert json.loads(sent.body)["mode"] == "UPI"
        assert found.state == "PROCESSING"
    else:
        assert world.bank.submits == []
        assert found.state == "APPROVED"
        assert "is a VPA, and its amount must be at most 99999.99 INR" in found.w_parked
    assert_sound(world.owner)


def test_an_imported_mode_that_does_not_lead_to_a_vpa_is_not_tried(world: Scene) -> None:
    """Nothing is sent that the provider must refuse."""
    [made] = seed(world.url, 1, payees=1)
    know(world.operator, [payee(NAME, fund_account_id="fa_0", account_kind="vpa")])
    change(world.owner, "UPDATE payouts SET mode = 'IMPS'")
    change(
        world.owner,
        "UPDATE payouts p SET approval_seal = payout_seal(p, p.generation, p.effect_key)",
    )
    world.run(PROCESS)
    assert "IMPS does not lead to a VPA" in payout(world.owner, made).w_parked
    assert world.bank.submits == []


def sender(world: Scene, engine: Engine) -> ProcessPayouts:
    """The job that sends, withholding by `engine`."""
    withholding = Withholding(engine=engine)
    return ProcessPayouts(
        world.bank, call_seconds_max=1.0, recover_seconds=(1.0,), withholding=withholding
    )


@pytest.mark.parametrize("engine", [Engine.GROSS, Engine.NONE])
@pytest.mark.parametrize("source", ["earnings", "import"])
def test_who_is_not_resident_is_paid_by_no_job(world: Scene, source: str, engine: Engine) -> None:
    """Whatever made it, whatever is withheld: parked with its reason and a finding; resident again, it goes."""
    if source == "import":
        [made] = seed(world.url, 1)
    else:
        made = batched(world)
    world.jobs = {**world.jobs, PROCESS: sender(world, engine)}
    say_residence(world, resident=False)
    world.run(PROCESS)
    found = payout(world.owner, made)
    assert (found.state, found.w_parked.partition(":")[0]) == (
        "APPROVED",
        "its payee is no resident of India",
    )
    open_ = rows(world.owner, "SELECT kind FROM findings WHERE resolved_at IS NULL")
    assert [row.kind for row in open_] == ["payout-not-payable"]
    assert world.bank.submits == []

    say_residence(world, resident=True)
    change(world.owner, "UPDATE work SET parked_reason = NULL, due_at = clock_timestamp()")
    assert world.run(PROCESS).tally["succeeded"] == 1
    assert_sound(world.owner)
