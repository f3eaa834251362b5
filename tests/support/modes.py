"""Marks of tests that want a `mesh` in one of its two modes only."""

import pytest

in_one_process = pytest.mark.parametrize("kept_mesh", [()], indirect=True, ids=["one process"], scope="session")
in_many_processes = pytest.mark.parametrize(
    "kept_mesh", [("--processes",)], indirect=True, ids=["one process per service"], scope="session"
)
