"""Every race there is, on one page."""

from typing import Final

from tests.races import (
    bookings,
    core,
    earnings,
    mails,
    notices,
    organisations,
    payouts,
    taxes,
    waitlist,
    wallets,
    webhooks,
)
from tests.races.explorer import Race

GROUPS: Final = (
    payouts,
    earnings,
    organisations,
    taxes,
    wallets,
    notices,
    mails,
    webhooks,
    bookings,
    waitlist,
    core,
)
RACES: Final[dict[str, Race]] = {race.name: race for group in GROUPS for race in group.ALL}
