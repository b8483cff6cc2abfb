"""Every race there is, on one page."""

from typing import Final

from tests.races import (
    accounts,
    bookings,
    completing,
    core,
    disbursing,
    dispersals,
    earnings,
    keys,
    mails,
    notices,
    openings,
    orders,
    organisations,
    payouts,
    records,
    recoveries,
    refunds,
    restores,
    suspense,
    sweeps,
    taxes,
    waitlist,
    wallets,
    webhooks,
)
from tests.races.explorer import Race

GROUPS: Final = (
    payouts,
    openings,
    earnings,
    organisations,
    taxes,
    recoveries,
    restores,
    wallets,
    notices,
    mails,
    webhooks,
    accounts,
    bookings,
    completing,
    orders,
    waitlist,
    records,
    keys,
    sweeps,
    dispersals,
    suspense,
    disbursing,
    refunds,
    core,
)
RACES: Final[dict[str, Race]] = {race.name: race for group in GROUPS for race in group.ALL}
