"""Run the revisions on the connection that is handed over, inside the transaction that it holds."""

from alembic import context

context.configure(connection=context.config.attributes["connection"])
context.run_migrations()
