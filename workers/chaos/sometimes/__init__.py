"""Situations a storm is there to bring about: how each is seen, and when it should have come.

A run whose faults should have brought one, and in which it never came, has proven less than it says:
it is void. What is listed without faults may come or not, and is counted alone.
"""

from typing import Final

from workers.chaos.sometimes.bank import OUTSIDE
from workers.chaos.sometimes.events import HEARD
from workers.chaos.sometimes.servers import AROUND
from workers.chaos.sometimes.work import WITHIN

RARE: Final = (*WITHIN, *OUTSIDE, *HEARD, *AROUND)
"""The whole list; `strikes` say after how many faults a storm without it is void."""
