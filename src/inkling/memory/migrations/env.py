"""Run the revisions on the connection that is handed over, inside the caller's transaction."""

from alembic import context

context.configure(
    connection=context.config.attributes["connection"],
    render_as_batch=True,  # SQLite alters a table by building it anew
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
