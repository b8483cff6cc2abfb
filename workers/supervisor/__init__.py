"""One supervisor for `up`, `worker` and the demo: children restarted, watched and ended."""

from workers.supervisor.beat import Beat
from workers.supervisor.output import Output
from workers.supervisor.programs import Program
from workers.supervisor.supervisor import Supervisor

__all__ = ["Beat", "Output", "Program", "Supervisor"]
