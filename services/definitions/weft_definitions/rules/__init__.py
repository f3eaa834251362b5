"""Rules of a tenant's administrators: what they say, the workflow that each is underneath, and how one is tried."""
