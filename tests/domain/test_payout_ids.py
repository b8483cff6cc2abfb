"""The same import makes the same identifiers, in the same installation only."""

from uuid import UUID

from hypothesis import given, strategies as st

from domain.payout_ids import numbers, payee_id, payout_account_id, payout_id

HERE, THERE = UUID(int=1), UUID(int=2)


def test_identifiers_never_change_between_versions() -> None:
    """A changed identifier is a changed effect key, hence a second payment after a restore."""
    assert payout_id(HERE, "PO-1") == UUID("0d9e9666-a453-5ff6-9a79-c73016fed19e")
    assert payee_id(HERE, "Asha Rao") == UUID("bb8c10c6-0195-5441-ac16-e111bcd16a0b")
    assert payout_account_id(HERE, "Asha Rao", "fa_1") == UUID(
        "f1883cb5-16c9-5c48-95d2-acf3780be02a"
    )


def test_each_installation_and_each_noun_has_identifiers_of_its_own() -> None:
    made = {
        make(installation, "PO-1")
        for make in (payout_id, payee_id)
        for installation in (HERE, THERE)
    }
    assert len(made) == 4


def test_an_account_is_its_payee_and_its_token_whatever_the_payee_is_called() -> None:
    named = [("a", "fa_1"), ("a", "fa_2"), ("b", "fa_1"), ("a:fa_1", "fa_2"), ("fa_1:a", "fa_1")]
    assert len({payout_account_id(HERE, payee, token) for payee, token in named}) == len(named)


@given(st.lists(st.text(max_size=64)), st.uuids())
def test_many_ids_are_the_ids_one_by_one(names: list[str], installation: UUID) -> None:
    """A large import and a small one make the same payouts, hence the same keys."""
    many = [UUID(int=number) for number in numbers(installation, "payout", names)]
    assert many == [payout_id(installation, name) for name in names]
