"""The database: pools per role, provisioning, migrations, tenancy by row-level security, the plumbing tables every schema has."""

from weft_runtime.database.engine import Database
from weft_runtime.database.failures import as_weft_error
from weft_runtime.database.migrate import check, downgrade, migrate
from weft_runtime.database.roles import ServiceUrls, driver_url, provision

__all__ = ["Database", "ServiceUrls", "as_weft_error", "check", "downgrade", "driver_url", "migrate", "provision"]
