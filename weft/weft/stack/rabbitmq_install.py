"""Where RabbitMQ's programs are: what is installed, else the distribution's packages unpacked in the user's cache.

Nothing is installed and no root is needed: `apt-get download` fetches the packages that `apt-get install` would, and
`dpkg-deb -x` unpacks them. The unpacked tree is shared by every data directory of the user.
"""

import os
import pwd
import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from weft.stack.lock import TurnLock

DOWNLOAD_TIMEOUT_S = 300
# Of what the package manager would install, only these matter to a private node (not log rotation, not system users).
NEEDED = re.compile(r"^Inst ((?:erlang|rabbitmq-server|lib)\S*) \((\S+)", re.MULTILINE)
Progress = Callable[[str], None]


class NotAvailable(Exception):
    """RabbitMQ cannot be had here; the text says why, in words for the user."""


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


def cache_folder() -> Path:
    """The user's folder for what is fetched once: WEFT_CACHE_DIR, else below XDG_CACHE_HOME or the home."""
    if chosen := os.environ.get("WEFT_CACHE_DIR"):
        return Path(chosen)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "weft"


def find(progress: Progress = lambda text: None) -> Broker:
    """RabbitMQ as installed, as unpacked before, or unpacked now. Raises: NotAvailable."""
    return installed() or unpacked() or unpack(progress)


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
    """What `unpack` made before, the newest first."""
    trees = sorted(cache_folder().glob("rabbitmq-*"), key=lambda tree: tree.stat().st_mtime, reverse=True)
    return _in_tree(trees[0]) if trees else None


def unpack(progress: Progress = lambda text: None) -> Broker:
    """Fetch the distribution's packages and unpack them in the cache. Raises: NotAvailable."""
    for tool in ("apt-get", "dpkg-deb"):
        if shutil.which(tool) is None:
            raise NotAvailable(f"RabbitMQ is not installed and this system has no {tool} to fetch it with")
    folder = cache_folder()
    try:
        with TurnLock(folder / "lock"):
            return unpacked() or _fetch(folder, progress)
    except OSError as error:
        raise NotAvailable(f"RabbitMQ is not installed and {folder} cannot be used to unpack it: {error}") from error


def _fetch(folder: Path, progress: Progress) -> Broker:
    apt = ["-o", f"APT::Sandbox::User={_user_name()}"]
    try:
        return _download(folder, apt, progress)
    except NotAvailable:
        progress("Reading the distribution's package lists")
        private = _private_lists(folder)
        _run(["apt-get", *apt, *private, "-q", "update"], "the package lists could not be read")
        return _download(folder, apt + private, progress)


def _download(folder: Path, apt: list[str], progress: Progress) -> Broker:
    plan = _run(
        ["apt-get", *apt, "install", "-s", "--no-install-recommends", "rabbitmq-server"],
        "the distribution offers no RabbitMQ",
    )
    wanted = [f"{name}={version}" for name, version in NEEDED.findall(plan)]
    server = next((version for name, version in NEEDED.findall(plan) if name == "rabbitmq-server"), None)
    if server is None:
        raise NotAvailable("the distribution offers no RabbitMQ")
    progress(f"Fetching RabbitMQ {server} from the distribution ({len(wanted)} packages, once)")
    draft = folder / "draft"
    shutil.rmtree(draft, ignore_errors=True)
    (draft / "packages").mkdir(parents=True)
    _run(["apt-get", *apt, "-q", "download", *wanted], "the packages could not be fetched", draft / "packages")
    progress("Unpacking RabbitMQ")
    for package in sorted((draft / "packages").glob("*.deb")):
        _run(["dpkg-deb", "-x", str(package), str(draft / "root")], f"{package.name} could not be unpacked")
    tree = folder / f"rabbitmq-{re.sub(r'[^A-Za-z0-9.+~-]', '_', server)}"
    _point_erlang(draft / "root", tree)
    (draft / "root").rename(tree)
    shutil.rmtree(draft)
    found = _in_tree(tree)
    if found is None:
        shutil.rmtree(tree)
        raise NotAvailable("the distribution's RabbitMQ packages hold no rabbitmq-server")
    return found


def _point_erlang(root: Path, tree: Path) -> None:
    """Make the launchers look where the tree will be: they hold the path that the package is built for."""
    for launcher in (root / "usr/lib/erlang").glob("**/bin/*"):
        if launcher.is_file() and not launcher.is_symlink():
            content = launcher.read_bytes()
            if content.startswith(b"#!"):
                launcher.write_bytes(content.replace(b"=/usr/lib/erlang", f"={tree}/usr/lib/erlang".encode()))


def _in_tree(tree: Path) -> Broker | None:
    scripts, erlang = tree / "usr/lib/rabbitmq/bin", tree / "usr/lib/erlang/bin"
    if not ((scripts / "rabbitmq-server").exists() and (erlang / "erl").exists()):
        return None
    libraries = sorted({file.parent for part in ("lib", "usr/lib") for file in (tree / part).glob("*-linux-*/*.so*")})
    return Broker(scripts, erlang, tuple(libraries), "the distribution's packages, unpacked")


def _private_lists(folder: Path) -> list[str]:
    """Options that keep the package lists in the cache, so that an ordinary user can read them and root changes nothing."""
    state = folder / "apt"
    for part in ("state/lists/partial", "cache/archives/partial"):
        (state / part).mkdir(parents=True, exist_ok=True)
    return [
        *("-o", f"Dir::State={state / 'state'}"),
        *("-o", "Dir::State::status=/var/lib/dpkg/status"),
        *("-o", f"Dir::Cache={state / 'cache'}"),
    ]


def _user_name() -> str:
    """The user apt fetches as: the current one. Its own sandbox user cannot enter a private folder."""
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return ""


def _run(command: list[str], otherwise: str, cwd: Path | None = None) -> str:
    try:
        done = subprocess.run(
            command,
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=DOWNLOAD_TIMEOUT_S,
            check=False,
            env=os.environ | {"LC_ALL": "C", "DEBIAN_FRONTEND": "noninteractive"},
        )
    except subprocess.TimeoutExpired as error:
        raise NotAvailable(f"{otherwise}: no answer in {DOWNLOAD_TIMEOUT_S} s") from error
    if done.returncode:
        said = (done.stderr.strip() or done.stdout.strip()).splitlines()
        raise NotAvailable(f"{otherwise}: {said[-1] if said else 'no reason given'}")
    return done.stdout
