"""The gateway's queries, by noun. Those before sign-in and those of operators run as the owner of the schema; each filters by tenant."""
