"""Every fault the storm can make, by name, and who strikes."""

from collections.abc import Mapping
from typing import Final

from workers.chaos.programs import RELEASES, SANDBOX, SCHEDULER, WEB
from workers.chaos.strikes import network, people, postgres, processes, redis, servers
from workers.chaos.strikes.scene import Scene, Strike

__all__ = ["DISK", "FAULTS", "GROUPS", "PASSIVE", "PATIENT", "STRIKES", "Scene", "Strike"]

PASSIVE: Final = frozenset({"bank-faults", "web-events", RELEASES})
"""There all the time: they need no moment to strike at."""
PATIENT: Final = frozenset({"worker-kill", "worker-freeze"})
"""Worth waiting for a moment in which there is something to lose."""
DISK: Final = "disk-full"

STRIKES: Final[Mapping[str, Strike]] = {
    "worker-kill": lambda scene: processes.kill(processes.busiest(scene)),
    "worker-freeze": lambda scene: processes.freeze(scene, processes.busiest(scene)),
    "worker-stop": processes.stop,
    "scheduler-kill": lambda scene: processes.kill(processes.any_of(scene, SCHEDULER)),
    "scheduler-freeze": lambda scene: processes.freeze(scene, processes.any_of(scene, SCHEDULER)),
    "deploy-rolling": processes.rolling,
    "redis-kill": lambda scene: servers.kill_server(scene, scene.house.pair.redis),
    "redis-flush": lambda scene: redis.ask(scene, redis.flush),
    "redis-clients": lambda s: redis.ask(s, lambda c: c.client_kill_filter(_type="normal")),
    "redis-freeze": redis.freeze,
    "postgres-kill": lambda scene: servers.kill_server(scene, scene.house.pair.postgres),
    "postgres-backend": postgres.kill_backend,
    "postgres-terminate": postgres.terminate,
    "postgres-freeze": postgres.freeze,
    "network-database-drop": lambda scene: network.drop(scene.house.database_link),
    "network-database-stall": lambda scene: network.stall(scene, scene.house.database_link),
    "network-database-half": lambda scene: network.half_close(scene.house.database_link),
    "network-database-commits": network.cut_commits,
    "network-broker-drop": lambda scene: network.drop(scene.house.broker_link),
    "network-broker-stall": lambda scene: network.stall(scene, scene.house.broker_link),
    "network-broker-half": lambda scene: network.half_close(scene.house.broker_link),
    "network-bank-drop": lambda scene: network.drop(scene.house.bank_link),
    "network-bank-refuse": lambda scene: network.refuse(scene, scene.house.bank_link),
    "network-bank-half": lambda scene: network.half_close(scene.house.bank_link),
    "network-web-drop": lambda scene: network.drop(scene.house.web_link),
    "network-web-half": lambda scene: network.half_close(scene.house.web_link),
    "web-kill": lambda scene: processes.kill(processes.any_of(scene, WEB)),
    "web-freeze": lambda scene: processes.freeze(scene, processes.any_of(scene, WEB)),
    "bank-kill": lambda scene: processes.kill(processes.any_of(scene, SANDBOX)),
    "people-maintenance": people.maintenance,
    DISK: servers.fill_disk,
}
FAULTS: Final = (*STRIKES, *sorted(PASSIVE))
GROUPS: Final = tuple(dict.fromkeys(name.partition("-")[0] for name in FAULTS))
"""A group's name stands for all of its faults."""
