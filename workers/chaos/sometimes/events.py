"""What rarely happens to webhooks."""

from typing import Final

from workers.chaos.rare import BANK, EVENTS, NO_DATABASE, Rare, count, event, fact

HEARD: Final = (
    Rare(name="a webhook moved a payout", seen=count("heard_and_moved"), faults=EVENTS),
    Rare(name="a webhook told what was known", seen=count("heard_in_vain"), faults=EVENTS),
    Rare(
        name="a webhook said first what became of a send",
        seen=count("heard_first"),
        faults=BANK,
        long=True,
    ),
    Rare(
        name="a webhook that would free money was asked about first",
        seen=count("heard_and_asked"),
        faults=BANK,
        long=True,
    ),
    Rare(
        name="a webhook came after the one that followed it",
        seen=fact("fault:event_reordered"),
        faults=EVENTS,
    ),
    Rare(name="a webhook came late", seen=fact("fault:event_late"), faults=EVENTS),
    Rare(name="a webhook never came", seen=fact("fault:event_mute"), faults=EVENTS),
    Rare(
        name="a webhook came again, and stayed one",
        seen=lambda e: sum(1 for one in e.told if one.heard > 1),
        faults=EVENTS,
    ),
    Rare(name="a forged webhook was turned away", seen=fact("fault:event_forged"), faults=EVENTS),
    Rare(
        name="a webhook found nobody, and was told again",
        seen=event("sandbox.webhook_failed"),
        faults=("web-kill", "web-freeze"),
    ),
    Rare(
        name="a webhook was told again until it was taken",
        seen=lambda e: sum(1 for one in e.told if one.sends > one.heard > 0),
        faults=("web-kill", "web-freeze", "network-web-half"),
        strikes=2,
        long=True,
    ),
    Rare(
        name="a webhook could not be kept, and its sender was told so",
        seen=event("webhook.not_stored"),
        faults=NO_DATABASE,
        strikes=6,
        long=True,
    ),
)
