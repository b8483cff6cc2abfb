"""Another system's records are taken over by an operator whose shell dies and who does it again."""

from typing import Final

from tests.builders import rows, states
from tests.kit.world import Fakes, Scene, World
from tests.opening import opening, sent_there, taken
from tests.told import both, earnings_taken, year, years_taken

ACCEPTED: Final = opening("A-2", "PROCESSING", provider_id="pout_2", reference="OLD-2")
DOUBTED: Final = opening("A-3", "PROCESSING", reference="OLD-3")
PAID: Final = opening("A-4", "COMPLETED", provider_id="pout_4", reference="OLD-4")
OF_BOTH: Final = opening(
    "A-1",
    "PROCESSING",
    payee="Asha Rao",
    source="earnings",
    provider_id="pout_1",
    reference="OLD-1",
)
"""What the other system had sent for two earnings."""
PRIOR: Final = 49_900_000
LINES: Final = (opening("A-1", "PENDING"), ACCEPTED, DOUBTED, PAID, opening("A-5", "FAILED"))


def having_sent() -> Fakes:
    """The bank has what the other system sent, also that of which it never heard."""
    fakes = Fakes()
    for line, word in ((ACCEPTED, "processing"), (DOUBTED, "processing"), (PAID, "processed")):
        sent_there(fakes.bank, line, word)
    return fakes


class Payouts(World):
    """Each is taken over once, in its state; what was under way there is heard of, and nothing is sent from here."""

    job = "import payouts --as-of"
    asks_again = True

    def fakes(self) -> Fakes:
        return having_sent()

    def prepare(self, scene: Scene) -> None:
        """Nothing is there yet."""

    def act(self, scene: Scene) -> None:
        taken(scene.operator, LINES, scene.bank)

    def check(self, scene: Scene) -> None:
        assert states(scene.owner) == {"PENDING": 1, "COMPLETED": 3, "FAILED": 1}
        assert len(rows(scene.owner, "SELECT FROM takeovers")) == len(LINES)
        assert scene.bank.submits == []


class Earnings(World):
    """Each is taken over once, and paid by the payout that was under way there."""

    job = "import earnings --as-of"
    asks_again = True

    def fakes(self) -> Fakes:
        fakes = Fakes()
        sent_there(fakes.bank, OF_BOTH)
        return fakes

    def prepare(self, scene: Scene) -> None:
        taken(scene.operator, [OF_BOTH], scene.bank)

    def act(self, scene: Scene) -> None:
        earnings_taken(scene.operator, both("BATCHED"))

    def check(self, scene: Scene) -> None:
        found = rows(scene.owner, "SELECT state FROM earnings")
        assert [row.state for row in found] == ["PAID", "PAID"]
        assert len(rows(scene.owner, "SELECT FROM earning_takeovers")) == len(found)


class Years(World):
    """What each was paid in a year is counted once."""

    job = "import payees --as-of"
    asks_again = True

    def prepare(self, scene: Scene) -> None:
        """Nothing is there yet."""

    def act(self, scene: Scene) -> None:
        years_taken(scene.operator, [year(), year(name="Ravi Iyer", fund_account_id="fa_2")])

    def check(self, scene: Scene) -> None:
        found = rows(scene.owner, "SELECT gross, prior_gross FROM tax_years")
        assert [tuple(row) for row in found] == [(PRIOR, PRIOR)] * 2
        assert len(rows(scene.owner, "SELECT FROM payees")) == len(found)


WORLDS: Final = (Payouts(), Earnings(), Years())
