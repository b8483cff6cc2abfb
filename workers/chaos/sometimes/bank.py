"""What a bank rarely does."""

from typing import Final

from workers.chaos.rare import BANK, KILLS, Rare, count, fact, met

OUTSIDE: Final = (
    Rare(
        name="a send was claimed again, under the same key",
        seen=count("sent_again"),
        faults=(*KILLS, *BANK),
    ),
    Rare(
        name="the bank was asked again under a key it knew",
        seen=fact("keys_sent_again"),
        faults=(*KILLS, *BANK),
    ),
    Rare(
        name="an unknown payment was found to be made",
        seen=count("unknown_then_accepted"),
        faults=BANK,
    ),
    Rare(
        name="a look-up settled what a send could not",
        seen=count("adopted_by_look_up"),
        faults=BANK,
    ),
    Rare(
        name="a payment was refused at its first send",
        seen=count("refused_at_first"),
        faults=BANK,
        long=True,
    ),
    Rare(
        name="a payment failed after it was accepted",
        seen=count("failed_at_the_bank"),
        faults=BANK,
        long=True,
    ),
    Rare(
        name="a completed payment was given back", seen=count("given_back"), faults=BANK, long=True
    ),
    Rare(
        name="the provider refused us, and its brake went on",
        seen=count("braked"),
        faults=BANK,
        long=True,
    ),
    Rare(name="a person let the brake go", seen=met("brake_lifted"), faults=BANK, long=True),
    Rare(name="a 429 cut the rate", seen=fact("fault:rate_limit"), faults=BANK, long=True),
    Rare(
        name="a reply was lost after the payment",
        seen=fact("fault:drop", "fault:truncate"),
        faults=BANK,
    ),
    Rare(
        name="a reply hung or dripped",
        seen=fact("fault:hang", "fault:drip"),
        faults=BANK,
        long=True,
    ),
    Rare(
        name="the bank contradicted itself",
        seen=fact("fault:wrong_amount", "fault:wrong_reference"),
        faults=BANK,
        long=True,
    ),
    Rare(name="work was parked for a person", seen=count("parked")),
    Rare(
        name="a refused payout was retried under its next key",
        seen=count("retried"),
        faults=BANK,
        long=True,
    ),
)
