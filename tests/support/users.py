"""Running something as an ordinary user, also when the tests themselves run as root."""

import os
import sys

from weft.stack.postgres_install import Account, may


def as_ordinary_user(*command: str) -> list[str]:
    """The command, run by a user without rights: `nobody` when the tests run as root, who they are otherwise.

    Root's interpreter may lie in a folder that nobody else can enter; then the user may read everything, and nothing more.
    """
    account = Account.for_server()
    if account is None:
        return list(command)
    prefix = ["setpriv", f"--reuid={account.uid}", f"--regid={account.gid}", "--clear-groups"]
    if not may(account, sys.executable, "-c", "import weft"):
        prefix += ["--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"]
    return [*prefix, *command]


def give_to_ordinary_user(path: os.PathLike[str]) -> None:
    """Let that user own a folder."""
    account = Account.for_server()
    if account is not None:
        os.chown(path, account.uid, account.gid)
