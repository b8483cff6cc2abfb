"""Every race there is, on one page."""

from typing import Final

from tests.races import core, notices, payouts, taxes, webhooks
from tests.races.explorer import Race

RACES: Final[dict[str, Race]] = {
    race.name: race for race in (*payouts.ALL, *taxes.ALL, *notices.ALL, *webhooks.ALL, *core.ALL)
}
