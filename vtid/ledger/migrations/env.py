"""Alembic runs the revisions on the connection that vtid.ledger.migrate hands over."""

from alembic import context

from vtid.ledger.models import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    transactional_ddl=True,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
