"""What becomes of an idea, and who has the same need."""

import sqlalchemy as sa
from alembic import op

from storage.types import UtcDateTime

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_KEPT = {"sqlite_autoincrement": True}
_BEFORE = ("submitted", "withdrawn")
_SINCE = ("submitted", "in_assessment", "accepted", "signposted", "already_exists", "not_now", "not_suitable", "withdrawn")
_SIGNPOSTS = ("quality_improvement", "research", "clinical_audit", "partner", "innovation_service", "mtfm")
_COLUMNS = (
    "project_id", "existing_id", "signpost", "review_on", "next_on", "next_by", "next_step", "reason", "decided_at", "decided_by_id",
    "due_on", "taken_on_at", "assessor_id",
)  # fmt: skip


def _one_of(column: str, values: tuple[str, ...]) -> str:
    return f"{column} IN ({', '.join(repr(value) for value in values)})"


def upgrade() -> None:
    """Forward."""
    with op.batch_alter_table("ideas", table_kwargs=_KEPT) as batch:
        batch.drop_constraint(op.f("ck_ideas_state"), type_="check")
        batch.create_check_constraint(op.f("ck_ideas_state"), _one_of("state", _SINCE))
        batch.add_column(sa.Column("assessor_id", sa.Integer(), nullable=True))
        batch.add_column(sa.Column("taken_on_at", UtcDateTime(timezone=True), nullable=True))
        batch.add_column(sa.Column("due_on", sa.Date(), nullable=True))
        batch.add_column(sa.Column("decided_by_id", sa.Integer(), nullable=True))
        batch.add_column(sa.Column("decided_at", UtcDateTime(timezone=True), nullable=True))
        batch.add_column(sa.Column("reason", sa.Text(), nullable=True))
        batch.add_column(sa.Column("next_step", sa.Text(), nullable=True))
        batch.add_column(sa.Column("next_by", sa.Text(), nullable=True))
        batch.add_column(sa.Column("next_on", sa.Date(), nullable=True))
        batch.add_column(sa.Column("review_on", sa.Date(), nullable=True))
        batch.add_column(sa.Column("signpost", sa.String(length=32), nullable=True))
        batch.add_column(sa.Column("existing_id", sa.Integer(), nullable=True))
        batch.add_column(sa.Column("project_id", sa.Integer(), nullable=True))
        batch.create_check_constraint(op.f("ck_ideas_signpost"), _one_of("signpost", _SIGNPOSTS))
        batch.create_check_constraint(op.f("ck_ideas_review_of_not_now"), "(state = 'not_now') = (review_on IS NOT NULL)")
        batch.create_foreign_key(op.f("fk_ideas_assessor_id_people"), "people", ["assessor_id"], ["id"])
        batch.create_foreign_key(op.f("fk_ideas_decided_by_id_people"), "people", ["decided_by_id"], ["id"])
        batch.create_foreign_key(op.f("fk_ideas_existing_id_ideas"), "ideas", ["existing_id"], ["id"])
    op.create_index("ix_ideas_state_submitted_at", "ideas", ["state", "submitted_at"])
    op.create_index("ix_ideas_review_on", "ideas", ["review_on"])
    op.create_table(
        "idea_supports",
        sa.Column("idea_id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("organisation_id", sa.Integer(), nullable=True),
        sa.Column("given_at", UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["idea_id"], ["ideas.id"], name=op.f("fk_idea_supports_idea_id_ideas")),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_idea_supports_person_id_people")),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisations.id"], name=op.f("fk_idea_supports_organisation_id_organisations")),
        sa.PrimaryKeyConstraint("idea_id", "person_id", name=op.f("pk_idea_supports")),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    """Back; what was taken on or decided is only submitted again."""
    op.drop_table("idea_supports")
    op.drop_index("ix_ideas_review_on", "ideas")
    op.drop_index("ix_ideas_state_submitted_at", "ideas")
    op.execute("UPDATE ideas SET state = 'submitted', review_on = NULL WHERE state <> 'withdrawn'")
    with op.batch_alter_table("ideas", table_kwargs=_KEPT) as batch:
        batch.drop_constraint(op.f("ck_ideas_review_of_not_now"), type_="check")
        batch.drop_constraint(op.f("ck_ideas_signpost"), type_="check")
        batch.drop_constraint(op.f("ck_ideas_state"), type_="check")
        for column in ("existing_id", "decided_by_id", "assessor_id"):
            target = "ideas" if column == "existing_id" else "people"
            batch.drop_constraint(op.f(f"fk_ideas_{column}_{target}"), type_="foreignkey")
        for column in _COLUMNS:
            batch.drop_column(column)
        batch.create_check_constraint(op.f("ck_ideas_state"), _one_of("state", _BEFORE))
