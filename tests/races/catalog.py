"""Every race there is, on one page."""

from typing import Final

from tests.races import core, payouts
from tests.races.explorer import Race

RACES: Final[dict[str, Race]] = {race.name: race for race in (*payouts.ALL, *core.ALL)}
