"""The `weft` command of a shell, forked from a process that has imported what such commands import, and in all else as any other.

A page gives half a hundred commands, of which each would compute for half a second before it begins. That they begin by themselves, too,
the tests of the commands show.
"""

from __future__ import annotations

import gc
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path

from weft_runtime.testing import until

# Not what reads its environment when it is imported: `weft.cli` and `weft.options`.
IMPORTED = ("cyclopts", "httpx2", "weft.commands.terminal", "weft.commands.token", "weft_language")
COMMAND = """\
#!{python} -IS
import json, os, socket, sys
with socket.socket(socket.AF_UNIX) as to:
    to.connect({path!r})
    socket.send_fds(to, [b"."], [0, 1, 2])
    to.sendall(json.dumps([sys.argv[1:], os.getcwd(), dict(os.environ)]).encode())
    to.shutdown(socket.SHUT_WR)
    sys.exit((to.recv(1) or b"\\1")[0])
"""


@contextmanager
def forked_command() -> Iterator[Path]:
    """A folder for the front of PATH, with a `weft` in it that starts at once; for the length of the block."""
    with tempfile.TemporaryDirectory(prefix="weft-command-") as name:
        folder, path = Path(name), Path(name) / "socket"
        command = folder / "weft"
        command.write_text(COMMAND.format(python=sys.executable, path=str(path)))
        command.chmod(0o755)
        server = subprocess.Popen([sys.executable, "-m", __name__, str(path)], cwd=Path(__file__).parents[2])
        try:
            until(lambda: path.exists() or None, "the process that commands are forked from")
            yield folder
        finally:
            server.kill()
            server.wait()


def serve(path: Path) -> None:
    """Fork a command for each that asks, until killed."""
    for module in IMPORTED:
        import_module(module)
    gc.freeze()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # those that have ended wait for nobody
    with socket.socket(socket.AF_UNIX) as door:
        fresh = path.with_suffix(".fresh")
        door.bind(str(fresh))
        door.listen()
        fresh.rename(path)
        while True:
            asked, _ = door.accept()
            if os.fork() == 0:
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                _become(asked)
            asked.close()


def _become(asked: socket.socket) -> None:
    """Be the command that is asked for, in the directory and environment and with the input and output of who asks."""
    _, streams, _, _ = socket.recv_fds(asked, 1, 3)
    with asked.makefile("rb") as written:
        arguments, directory, environment = json.load(written)
    for place, stream in enumerate(streams):
        os.dup2(stream, place)
        os.close(stream)
    os.chdir(directory)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = ["weft", *arguments]
    status = 1
    try:
        import_module("weft.cli").main()
        status = 0
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:  # noqa: BLE001  nobody is above it but the process it was forked from, whose copy ends here
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        asked.sendall(bytes([status]))
        os._exit(0)


if __name__ == "__main__":
    serve(Path(sys.argv[1]))
