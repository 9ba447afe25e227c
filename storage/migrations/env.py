"""Runs the migrations on the connection that storage/schema.py hands over, inside its transaction."""

from alembic import context

from storage.tables import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    render_as_batch=True,
    compare_type=True,
    user_module_prefix="",
    transactional_ddl=True,
)
context.run_migrations()
