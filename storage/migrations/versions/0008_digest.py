"""What the weekly digest looks for."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_STUCK = sa.text("state IN ('dead', 'unknown')")


def upgrade() -> None:
    """Forward."""
    op.create_index("ix_outbox_stuck", "outbox", ["settled_at"], sqlite_where=_STUCK, postgresql_where=_STUCK)
    op.create_index("ix_project_reports_at", "project_reports", ["at"])


def downgrade() -> None:
    """Back."""
    op.drop_index("ix_project_reports_at", "project_reports")
    op.drop_index("ix_outbox_stuck", "outbox")
