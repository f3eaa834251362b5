"""The bench: how fast the mesh is on this machine, beside what it takes for it."""
