"""What people were reminded of."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forward."""
    op.create_table(
        "nudges",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("about", sa.Text(), nullable=False),
        sa.Column("args", sa.JSON(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_nudges_person_id_people")),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_nudges")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_nudges_person_id_day", "nudges", ["person_id", "day"])


def downgrade() -> None:
    """Back."""
    op.drop_table("nudges")
