"""The one door to PostgreSQL: the database, sessions within a transaction, and named statements."""

from hub.kernel.db.pool import Database, Session
from hub.kernel.db.statements import load_statements

__all__ = ["Database", "Session", "load_statements"]
