"""One waiting notice for each live message, and a draft for each object that a form is about."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_WAITING, _SENDING = sa.text("state = 'waiting'"), sa.text("state = 'sending'")
_DRAFTS = {"sqlite_with_rowid": False}


def upgrade() -> None:
    """Forward."""
    with op.batch_alter_table("outbox") as batch:
        batch.add_column(sa.Column("live", sa.Text(), nullable=True))
    op.create_index("uq_outbox_live_waiting", "outbox", ["live"], unique=True, sqlite_where=_WAITING, postgresql_where=_WAITING)
    op.create_index("ix_outbox_live_sending", "outbox", ["live"], sqlite_where=_SENDING, postgresql_where=_SENDING)
    with op.batch_alter_table("drafts", table_kwargs=_DRAFTS) as batch:
        batch.add_column(sa.Column("args", sa.Text(), nullable=False, server_default=""))
        batch.drop_constraint("pk_drafts", type_="primary")
        batch.create_primary_key("pk_drafts", ["person_id", "action", "args"])
    with op.batch_alter_table("drafts", table_kwargs=_DRAFTS) as batch:
        batch.alter_column("args", server_default=None)


def downgrade() -> None:
    """Back; drafts about an object are dropped, for the old key cannot tell them apart."""
    op.execute("DELETE FROM drafts WHERE args <> ''")
    with op.batch_alter_table("drafts", table_kwargs=_DRAFTS) as batch:
        batch.drop_constraint("pk_drafts", type_="primary")
        batch.create_primary_key("pk_drafts", ["person_id", "action"])
        batch.drop_column("args")
    op.drop_index("ix_outbox_live_sending", "outbox")
    op.drop_index("uq_outbox_live_waiting", "outbox")
    with op.batch_alter_table("outbox") as batch:
        batch.drop_column("live")
