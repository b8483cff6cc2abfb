"""The two Lua scripts that read and write Dramatiq's layout of a queue in Redis.

`<ns>:<queue>` is a list of message keys, `<ns>:<queue>.msgs` a hash of their bodies, and
`<ns>:__acks__.<broker>.<queue>` the set of keys this process has taken and not yet acked.
Dramatiq's own fetch returns bodies without keys, so what it cannot decode it cannot ack.
"""

from dataclasses import dataclass
from typing import Final

TAKE: Final = """
local id = redis.call('lpop', KEYS[1])
if not id then return false end
redis.call('sadd', KEYS[3], id)
local size = redis.pcall('hstrlen', KEYS[2], id)
if type(size) ~= 'number' or size > tonumber(ARGV[1]) then return {id, ''} end
return {id, redis.call('hget', KEYS[2], id)}
"""
"""KEYS list, bodies, acks; ARGV the largest body. Returns (key, body) or nothing; a body that is
too large stays where it is and reads as empty; one that is gone reads as nil."""

RING: Final = """
local room = tonumber(ARGV[1]) - redis.call('llen', KEYS[1])
local rung = 0
for i = 2, #ARGV, 2 do
  if rung >= room then break end
  redis.call('hset', KEYS[2], ARGV[i], ARGV[i + 1])
  redis.call('rpush', KEYS[1], ARGV[i])
  rung = rung + 1
end
return rung
"""
"""KEYS list, bodies; ARGV the longest list, then (key, body) pairs. Returns how many were added."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """Where one queue lives in Redis."""

    waiting: str
    bodies: str
    acks: str

    @classmethod
    def of(cls, namespace: str, queue: str, broker_id: str = "") -> "Keys":
        """Return the keys of `queue`; `broker_id` names the process whose acks are meant."""
        full = f"{namespace}:{queue}"
        acks = f"{namespace}:__acks__.{broker_id}.{queue}"
        return cls(waiting=full, bodies=f"{full}.msgs", acks=acks)

    @property
    def of_take(self) -> tuple[str, str, str]:
        """What `TAKE` is given."""
        return self.waiting, self.bodies, self.acks
