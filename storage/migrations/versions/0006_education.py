"""Community of Practice sessions and training days, and who comes."""

import sqlalchemy as sa
from alembic import op

from storage.types import UtcDateTime

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def _one_of(name: str, *values: str) -> sa.Enum:
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=32)


def upgrade() -> None:
    """Forward."""
    op.create_table(
        "events",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", _one_of("kind", "cop", "fundamentals"), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("about", sa.Text(), nullable=False),
        sa.Column("starts_at", UtcDateTime(), nullable=False),
        sa.Column("ends_at", UtcDateTime(), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("area", _one_of("area", "east", "west"), nullable=True),
        sa.Column("link", sa.Text(), nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("places", sa.Integer(), nullable=False),
        sa.Column("state", _one_of("state", "planned", "cancelled"), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("uid", sa.Text(), nullable=False),
        sa.Column("timed_at", UtcDateTime(), nullable=False),
        sa.Column("recording", sa.Text(), nullable=False),
        sa.Column("slides", sa.Text(), nullable=False),
        sa.CheckConstraint("starts_at < ends_at", name=op.f("ck_events_starts_before_it_ends")),
        sa.CheckConstraint("places > 0", name=op.f("ck_events_has_places")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_events")),
        sa.UniqueConstraint("uid", name=op.f("uq_events_uid")),
    )
    op.create_index("ix_events_kind_ends_at", "events", ["kind", "ends_at"])
    op.create_index("ix_events_starts_at", "events", ["starts_at"])
    op.create_table(
        "event_appointments",
        sa.Column("event_id", sa.Integer(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("starts_at", UtcDateTime(), nullable=False),
        sa.Column("ends_at", UtcDateTime(), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("area", _one_of("area", "east", "west"), nullable=True),
        sa.Column("link", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["event_id"], ["events.id"], name=op.f("fk_event_appointments_event_id_events")),
        sa.PrimaryKeyConstraint("event_id", "sequence", name=op.f("pk_event_appointments")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "signups",
        sa.Column("event_id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("standing", _one_of("standing", "coming", "waiting", "maybe", "not_coming"), nullable=False),
        sa.Column("turn", sa.Integer(), nullable=False),
        sa.Column("since", UtcDateTime(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["event_id"], ["events.id"], name=op.f("fk_signups_event_id_events")),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_signups_person_id_people")),
        sa.PrimaryKeyConstraint("event_id", "person_id", name=op.f("pk_signups")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_signups_event_id_standing_turn", "signups", ["event_id", "standing", "turn"])


def downgrade() -> None:
    """Back."""
    op.drop_table("signups")
    op.drop_table("event_appointments")
    op.drop_table("events")
