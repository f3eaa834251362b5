"""Where RabbitMQ's programs are: what is installed, else the distribution's packages unpacked in the user's cache."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from weft.stack import packages
from weft.stack.packages import Progress, Wanted

# Of what the package manager would install, only these matter to a private node (not log rotation, not system users).
RABBITMQ = Wanted(
    name="RabbitMQ",
    tree="rabbitmq",
    packages=("rabbitmq-server",),
    needed=r"(?:erlang|rabbitmq-server|lib)\S*",
    holds=("usr/lib/rabbitmq/bin/rabbitmq-server", "usr/lib/erlang/bin/erl"),
)


@dataclass(frozen=True)
class Broker:
    """One RabbitMQ installation.

    scripts: the folder of `rabbitmq-server` and `rabbitmqctl`.  erlang: the folder of `erl` and `epmd`.
    libraries: folders for the loader, when the tree carries libraries of its own.
    """

    scripts: Path
    erlang: Path
    libraries: tuple[Path, ...]
    origin: str


def find(progress: Progress = lambda text: None) -> Broker:
    """RabbitMQ as installed, as unpacked before, or unpacked now. Raises: NotAvailable."""
    return installed() or unpacked() or _in_tree(packages.unpack(RABBITMQ, progress, _point_erlang))


def installed() -> Broker | None:
    """The system's RabbitMQ. The plain scripts are used: those on PATH may insist on a system user."""
    erl = shutil.which("erl")
    if erl is None:
        return None
    on_path = shutil.which("rabbitmq-server")
    folders = [Path("/usr/lib/rabbitmq/bin"), *([Path(on_path).resolve().parent] if on_path else [])]
    erlang = Path(erl).resolve().parent
    for scripts in folders:
        if (scripts / "rabbitmq-server").exists() and (scripts / "rabbitmqctl").exists() and (erlang / "epmd").exists():
            return Broker(scripts, erlang, (), "installed")
    return None


def unpacked() -> Broker | None:
    """What `find` unpacked before, the newest first."""
    tree = packages.unpacked(RABBITMQ)
    return _in_tree(tree) if tree else None


def _point_erlang(root: Path, tree: Path) -> None:
    """Make the launchers look where the tree will be: they hold the path that the package is built for."""
    for launcher in (root / "usr/lib/erlang").glob("**/bin/*"):
        if launcher.is_file() and not launcher.is_symlink():
            content = launcher.read_bytes()
            if content.startswith(b"#!"):
                launcher.write_bytes(content.replace(b"=/usr/lib/erlang", f"={tree}/usr/lib/erlang".encode()))


def _in_tree(tree: Path) -> Broker:
    scripts, erlang = tree / "usr/lib/rabbitmq/bin", tree / "usr/lib/erlang/bin"
    libraries = sorted({file.parent for part in ("lib", "usr/lib") for file in (tree / part).glob("*-linux-*/*.so*")})
    return Broker(scripts, erlang, tuple(libraries), "the distribution's packages, unpacked")
