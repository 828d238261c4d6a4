"""Revisions of the memory's schema, run by Alembic. They only ever go forward."""
