"""How often what is rare has happened to a database: one statement, one row of counts."""

from collections.abc import Mapping
from typing import Final

import sqlalchemy as sa

from db.tx import Tx

_COUNTS: Final[Mapping[str, str]] = {
    "runs_crashed": "SELECT count(*) FROM runs WHERE state = 'crashed'",
    "runs_stopped": "SELECT count(*) FROM runs WHERE state = 'stopped'",
    "runs_skipped": "SELECT count(*) FROM runs WHERE state = 'skipped'",
    "runs_started_again": "SELECT count(*) FROM runs WHERE attempts > 1",
    "sent_again": "SELECT count(*) FROM effects WHERE sends > 1",
    "put_back": "SELECT count(*) FROM effects WHERE put_backs > 0",
    "kept_as_evidence": "SELECT count(*) FROM effect_answers WHERE NOT moved AND answer IN ('accepted', 'reported', 'found', 'rejected')",
    "unknown_then_accepted": """
      SELECT count(*) FROM effects e WHERE e.state = 'accepted'
        AND EXISTS (SELECT FROM effect_answers a WHERE a.key = e.key AND a.answer = 'unknown')""",
    "adopted_by_look_up": """
      SELECT count(*) FROM effect_answers a JOIN runs r ON r.id = a.run
      WHERE r.job = 'payouts.recover' AND a.moved AND a.answer <> 'unknown'""",
    "refused_at_first": "SELECT count(*) FROM effects WHERE state = 'rejected'",
    "failed_at_the_bank": """
      SELECT count(*) FROM payouts p JOIN effects e ON e.key = p.effect_key
      WHERE p.state = 'FAILED' AND e.state = 'accepted'""",
    "given_back": "SELECT count(*) FROM payouts WHERE state = 'REVERSED'",
    "retried": "SELECT count(*) FROM payouts WHERE generation > 1",
    "cancelled": "SELECT count(*) FROM payouts WHERE state = 'CANCELLED'",
    "parked": "SELECT count(*) FROM work WHERE parked_reason IS NOT NULL",
    "braked": "SELECT count(*) FROM switch_changes WHERE is_on AND name LIKE 'brake:%'",
    "rate_cut": "SELECT count(*) FROM rate_limits WHERE cut_until IS NOT NULL",
    "ticks_run": "SELECT count(*) FROM ticks WHERE outcome = 'run'",
    "ticks_coalesced": "SELECT count(*) FROM ticks WHERE outcome = 'coalesced'",
    "ticks_skipped": "SELECT count(*) FROM ticks WHERE outcome = 'skipped'",
    "ticks_held": "SELECT count(*) FROM ticks WHERE outcome = 'held'",
    "schedulers": "SELECT count(DISTINCT recorded_by) FROM ticks",
    "heard_and_moved": "SELECT count(*) FROM inbox WHERE state = 'APPLIED' AND outcome LIKE '%->%'",
    "heard_in_vain": "SELECT count(*) FROM inbox WHERE state = 'APPLIED' AND outcome LIKE 'nothing to do: it is %'",
    "heard_and_asked": "SELECT count(*) FROM inbox WHERE state = 'APPLIED' AND outcome LIKE '%the provider is asked'",
    "heard_first": """
      SELECT count(*) FROM effects e WHERE e.state = 'accepted' AND (
        SELECT r.job FROM effect_answers a JOIN runs r ON r.id = a.run
        WHERE a.key = e.key AND a.moved AND a.answer <> 'unknown' ORDER BY a.at LIMIT 1) = 'webhooks.apply'""",
    "made_by_the_next": "SELECT count(*) FROM runs WHERE version > 1",
}


def counts(tx: Tx) -> dict[str, int]:
    """Return every count by its name."""
    columns = ", ".join(f"({query}) AS {name}" for name, query in _COUNTS.items())
    return dict(tx.connection.execute(sa.text(f"SELECT {columns}")).mappings().one())
