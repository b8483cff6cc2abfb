"""Make payouts of what is owed to organisations: as `payouts.batch` does, apart from it."""

from typing import ClassVar

from domain.batching import ORG_BATCH
from domain.payees import PayeeKind
from jobs.payouts.batch import BatchPayouts


class BatchOrganisations(BatchPayouts):
    """Make payouts of what is owed to organisations past its hold, and approve those below the limit."""

    name: ClassVar[str] = ORG_BATCH
    payees: ClassVar[PayeeKind] = PayeeKind.ORGANISATION
