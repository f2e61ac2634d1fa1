"""Storage: SQLAlchemy tables, migrations and the store that implements monitor.store."""

from db.schema import SCHEMA_VERSION, grant_to, migrate, open_store
from db.store import SqlStore

__all__ = ["SCHEMA_VERSION", "SqlStore", "grant_to", "migrate", "open_store"]
