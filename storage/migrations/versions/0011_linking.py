"""Codes that join two accounts, wrong codes to count, and people's time zones."""

import sqlalchemy as sa
from alembic import op

from storage.types import UtcDateTime

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forward."""
    op.add_column("people", sa.Column("zone", sa.Text(), nullable=True))
    op.create_table(
        "linking_codes",
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("spent_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_linking_codes_account_id_accounts")),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_linking_codes_person_id_people")),
        sa.PrimaryKeyConstraint("person_id", name=op.f("pk_linking_codes")),
        sa.UniqueConstraint("digest", name=op.f("uq_linking_codes_digest")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_linking_codes_expires_at", "linking_codes", ["expires_at"])
    op.create_table(
        "linking_tries",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_linking_tries_person_id_people")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_linking_tries")),
    )
    op.create_index("ix_linking_tries_person_id_at", "linking_tries", ["person_id", "at"])
    op.create_index("ix_linking_tries_at", "linking_tries", ["at"])


def downgrade() -> None:
    """Back."""
    op.drop_table("linking_tries")
    op.drop_table("linking_codes")
    op.drop_column("people", "zone")
