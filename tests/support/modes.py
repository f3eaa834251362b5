"""The two modes of a kept mesh, and the marks of tests that want a `mesh` in one of them only."""

import pytest

IN_ONE, IN_MANY = "one process", "one process per service"
MODES = {IN_ONE: (), IN_MANY: ("--processes",)}
"""The options of `weft up`, by what stands in the names of a mode's tests."""


def _only(mode: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("kept_mesh", [MODES[mode]], indirect=True, ids=[mode], scope="session")


in_one_process, in_many_processes = _only(IN_ONE), _only(IN_MANY)
