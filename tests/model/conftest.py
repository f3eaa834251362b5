"""The model checker, for as many tests as want it."""

from pathlib import Path

import pytest
from weft.stack.packages import NotAvailable

from tests.model.toolchain import Checker, find


@pytest.fixture(scope="session")
def checker(tmp_path_factory: pytest.TempPathFactory) -> Checker:
    """spin and a compiler. Its first use may fetch 7 MB of packages, once a machine."""
    folder: Path = tmp_path_factory.mktemp("compiler")
    try:
        return find(folder)
    except NotAvailable as reason:
        pytest.skip(f"no model checker: {reason}")
