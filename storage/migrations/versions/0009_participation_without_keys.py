"""Who takes part in a round refers to no other table: PostgreSQL marks what is referred to, and the marks outlive the round."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_TABLE = "pulse_participation"
_STATES = sa.Enum("declined", "begun", "quiet", "finished", name="state", native_enum=False, create_constraint=True, length=32)
_REFERENCES = {
    "fk_pulse_participation_person_id_people": ("people", "person_id"),
    "fk_pulse_participation_round_id_pulse_rounds": ("pulse_rounds", "round_id"),
}


def upgrade() -> None:
    """Forward."""
    if op.get_bind().dialect.name == "sqlite":
        _made_anew()
        return
    for name in _REFERENCES:
        op.drop_constraint(name, _TABLE, type_="foreignkey")


def downgrade() -> None:
    """Back."""
    if op.get_bind().dialect.name == "sqlite":
        _made_anew(*(sa.ForeignKeyConstraint([column], [f"{table}.id"], name=op.f(name)) for name, (table, column) in _REFERENCES.items()))
        return
    for name, (table, column) in _REFERENCES.items():
        op.create_foreign_key(name, _TABLE, table, [column], ["id"])


def _made_anew(*constraints: sa.ForeignKeyConstraint) -> None:
    """SQLite cannot change the constraints of a table that is there."""
    op.rename_table(_TABLE, f"{_TABLE}_before")
    op.create_table(
        _TABLE,
        sa.Column("round_id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("state", _STATES, nullable=False),
        *constraints,
        sa.PrimaryKeyConstraint("round_id", "person_id", name=op.f(f"pk_{_TABLE}")),
        sqlite_with_rowid=False,
    )
    op.execute("INSERT INTO pulse_participation SELECT round_id, person_id, state FROM pulse_participation_before")
    op.drop_table(f"{_TABLE}_before")
