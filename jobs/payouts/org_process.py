"""Submit what is due to organisations: as `payouts.process` does, apart from it."""

from domain.payouts import ORG_PROCESS
from jobs.payouts.process import ProcessPayouts


class ProcessOrganisations(ProcessPayouts):
    """Submit every approved payout of an organisation that is due, each at most once."""

    name = ORG_PROCESS
    is_strict = True
