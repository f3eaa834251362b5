"""Running something as an ordinary user, also when the tests themselves run as root."""

import os
import shutil
import sys
from pathlib import Path

from weft.stack.packages import cache_folder
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


def broker_cache(folder: Path) -> Path:
    """The unpacked RabbitMQ in a folder that the ordinary user can enter: root's own cache may be closed to others."""
    tree = next(cache_folder().glob("rabbitmq-*"), None)
    if tree is None or may(Account.for_server(), "test", "-r", str(tree / "usr")):
        return cache_folder()
    copy = folder / tree.name
    shutil.copytree(tree, copy, symlinks=True)
    # Its launchers name the folder they were unpacked to.
    for launcher in (copy / "usr/lib/erlang").glob("**/bin/erl"):
        launcher.write_text(launcher.read_text().replace(str(tree), str(copy)))
    return folder
