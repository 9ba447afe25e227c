"""The maturity pulse."""

import sqlalchemy as sa
from alembic import op

from storage.types import UtcDateTime

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_UNCLEAN = sa.text("NOT cleaned")
_STATES = sa.Enum("open", "closing", "closed", name="state", native_enum=False, create_constraint=True, length=32)
_PARTICIPATION = sa.Enum("declined", "begun", "quiet", "finished", name="state", native_enum=False, create_constraint=True, length=32)
_PASSING = {
    "pulse_keys": ("round_id", "wrapped"),
    "pulse_open": ("tag", "sealed"),
    "pulse_participation": ("round_id", "person_id", "state"),
}
"""What is gone when a round closes."""


def upgrade() -> None:
    """Forward."""
    _rounds()
    _answers()
    _results()


def _rounds() -> None:
    op.create_table(
        "pulse_wheels",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("items", sa.JSON(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("key", "version", name=op.f("pk_pulse_wheels")),
    )
    op.create_table(
        "pulse_rounds",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("wheel", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("opens_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("closes_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("groups", sa.JSON(), nullable=False),
        sa.Column("minimum", sa.Integer(), nullable=False),
        sa.Column("state", _STATES, nullable=False),
        sa.Column("cleaned", sa.Boolean(), nullable=False),
        sa.Column("invited", sa.Integer(), nullable=True),
        sa.Column("took_part", sa.Integer(), nullable=True),
        sa.Column("most_chosen", sa.JSON(), nullable=True),
        sa.CheckConstraint("state = 'closed' OR NOT cleaned", name=op.f("ck_pulse_rounds_cleaned_when_closed")),
        sa.CheckConstraint("(state = 'closed') = (took_part IS NOT NULL)", name=op.f("ck_pulse_rounds_counted_when_closed")),
        sa.CheckConstraint("took_part <= invited", name=op.f("ck_pulse_rounds_invited")),
        sa.ForeignKeyConstraint(
            ["wheel", "version"], ["pulse_wheels.key", "pulse_wheels.version"], name=op.f("fk_pulse_rounds_wheel_version_pulse_wheels")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pulse_rounds")),
        sqlite_autoincrement=True,
    )
    op.create_index("uq_pulse_rounds_uncleaned", "pulse_rounds", ["cleaned"], unique=True, sqlite_where=_UNCLEAN, postgresql_where=_UNCLEAN)


def _answers() -> None:
    op.create_table(
        "pulse_keys",
        sa.Column("round_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("wrapped", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("round_id", name=op.f("pk_pulse_keys")),
    )
    op.create_table(
        "pulse_open",
        sa.Column("tag", sa.Text(), nullable=False),
        sa.Column("sealed", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("tag", name=op.f("pk_pulse_open")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "pulse_participation",
        sa.Column("round_id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("state", _PARTICIPATION, nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_pulse_participation_person_id_people")),
        sa.ForeignKeyConstraint(["round_id"], ["pulse_rounds.id"], name=op.f("fk_pulse_participation_round_id_pulse_rounds")),
        sa.PrimaryKeyConstraint("round_id", "person_id", name=op.f("pk_pulse_participation")),
        sqlite_with_rowid=False,
    )
    if op.get_bind().dialect.name == "postgresql":
        for table, columns in _PASSING.items():
            for column in columns:  # or ANALYZE would copy values into pg_statistic, where they stay
                op.execute(f"ALTER TABLE {table} ALTER COLUMN {column} SET STATISTICS 0")
        for table, column in (("pulse_keys", "wrapped"), ("pulse_open", "tag"), ("pulse_open", "sealed")):
            op.execute(f"ALTER TABLE {table} ALTER COLUMN {column} SET STORAGE PLAIN")  # never in a side table, never compressed


def _results() -> None:
    op.create_table(
        "pulse_results",
        sa.Column("round_id", sa.Integer(), nullable=False),
        sa.Column("dimension", sa.Text(), nullable=False),
        sa.Column("scored", sa.Integer(), nullable=False),
        sa.Column("dont_know", sa.Integer(), nullable=False),
        sa.Column("lower", sa.Integer(), nullable=False),
        sa.Column("median", sa.Integer(), nullable=False),
        sa.Column("upper", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["round_id"], ["pulse_rounds.id"], name=op.f("fk_pulse_results_round_id_pulse_rounds")),
        sa.PrimaryKeyConstraint("round_id", "dimension", name=op.f("pk_pulse_results")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "pulse_comments",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("round_id", sa.Integer(), nullable=False),
        sa.Column("dimension", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["round_id"], ["pulse_rounds.id"], name=op.f("fk_pulse_comments_round_id_pulse_rounds")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pulse_comments")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_pulse_comments_round_id", "pulse_comments", ["round_id"])
    op.create_table(
        "pulse_priorities",
        sa.Column("round_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("owner_id", sa.Integer(), nullable=False),
        sa.Column("review_on", sa.Date(), nullable=False),
        sa.ForeignKeyConstraint(["owner_id"], ["people.id"], name=op.f("fk_pulse_priorities_owner_id_people")),
        sa.ForeignKeyConstraint(["round_id"], ["pulse_rounds.id"], name=op.f("fk_pulse_priorities_round_id_pulse_rounds")),
        sa.PrimaryKeyConstraint("round_id", "number", name=op.f("pk_pulse_priorities")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_pulse_priorities_owner_id", "pulse_priorities", ["owner_id"])


def downgrade() -> None:
    """Back; answers, results and priorities are dropped."""
    tables = ("priorities", "comments", "results", "participation", "open", "keys", "rounds", "wheels")
    for table in tables:
        op.drop_table(f"pulse_{table}")
