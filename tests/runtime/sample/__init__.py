"""A service as small as can be, to try the runtime with: notes of a tenant."""
