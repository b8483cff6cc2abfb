"""The durable core, the books, and payouts."""

from pathlib import Path

from alembic import op

from db.script import run_script

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the files beside this one, in order, in the schema the search path names."""
    for path in sorted(Path(__file__).with_suffix("").glob("*.sql")):
        run_script(op.get_bind(), path.read_text(encoding="utf-8"))


def downgrade() -> None:
    """There is nothing before the first."""
    raise RuntimeError("the first migration has no way back: drop the schema instead")
