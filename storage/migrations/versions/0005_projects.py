"""Projects, their partners, followers and reports."""

import sqlalchemy as sa
from alembic import op

from storage.types import UtcDateTime

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forward."""
    op.create_table(
        "projects",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column(
            "type",
            sa.Enum("local", "national", "partner", name="type", native_enum=False, create_constraint=True, length=32),
            nullable=False,
        ),
        sa.Column("need", sa.Text(), nullable=False),
        sa.Column("sro", sa.Text(), nullable=False),
        sa.Column("lead_id", sa.Integer(), nullable=True),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("idea_id", sa.Integer(), nullable=True),
        sa.Column("started_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("counted_from", UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["idea_id"], ["ideas.id"], name=op.f("fk_projects_idea_id_ideas")),
        sa.ForeignKeyConstraint(["lead_id"], ["people.id"], name=op.f("fk_projects_lead_id_people")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_projects")),
    )
    op.create_index(op.f("ix_projects_counted_from"), "projects", ["counted_from"])
    op.create_index(op.f("ix_projects_lead_id"), "projects", ["lead_id"])
    op.create_table(
        "project_followers",
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_project_followers_person_id_people")),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_project_followers_project_id_projects")),
        sa.PrimaryKeyConstraint("project_id", "person_id", name=op.f("pk_project_followers")),
    )
    op.create_table(
        "project_partners",
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("organisation_id", sa.Integer(), nullable=False),
        sa.Column(
            "adoption",
            sa.Enum(
                "not_started",
                "preparing",
                "using",
                "routine",
                "not_adopting",
                name="adoption",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisations.id"], name=op.f("fk_project_partners_organisation_id_organisations")),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_project_partners_project_id_projects")),
        sa.PrimaryKeyConstraint("project_id", "organisation_id", name=op.f("pk_project_partners")),
    )
    op.create_table(
        "project_reports",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("by_id", sa.Integer(), nullable=False),
        sa.Column("at", UtcDateTime(timezone=True), nullable=False),
        sa.Column(
            "rag",
            sa.Enum("green", "amber", "red", "blue", "grey", name="rag", native_enum=False, create_constraint=True, length=32),
            nullable=False,
        ),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("done", sa.Text(), nullable=False),
        sa.Column("planned", sa.Text(), nullable=False),
        sa.Column("needed", sa.Text(), nullable=False),
        sa.Column("milestone", sa.Text(), nullable=False),
        sa.Column("milestone_on", sa.Date(), nullable=True),
        sa.Column("risk", sa.Text(), nullable=False),
        sa.Column("risk_owner", sa.Text(), nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.CheckConstraint("rag NOT IN ('amber', 'red') OR path <> ''", name=op.f("ck_project_reports_path_to_green")),
        sa.ForeignKeyConstraint(["by_id"], ["people.id"], name=op.f("fk_project_reports_by_id_people")),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_project_reports_project_id_projects")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_project_reports")),
    )
    op.create_index("ix_project_reports_project_id_id", "project_reports", ["project_id", "id"])


def downgrade() -> None:
    """Back."""
    for table in ("project_reports", "project_partners", "project_followers", "projects"):
        op.drop_table(table)
