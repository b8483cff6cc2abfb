"""Every race there is, on one page."""

from typing import Final

from tests.races import core, payouts, taxes
from tests.races.explorer import Race

RACES: Final[dict[str, Race]] = {race.name: race for race in (*payouts.ALL, *taxes.ALL, *core.ALL)}
