"""Programs from the distribution's packages, unpacked in the user's cache instead of installed.

No root is needed: `apt-get download` fetches the packages that `apt-get install` would, and `dpkg-deb -x` unpacks them.
An unpacked tree is shared by every working copy and data directory of the user.
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
Progress = Callable[[str], None]
Prepare = Callable[[Path, Path], None]


class NotAvailable(Exception):
    """A program cannot be had here; the text says why, in words for the user."""


@dataclass(frozen=True)
class Wanted:
    """What to fetch.

    name: as people call it.  tree: first part of the unpacked folder's name.  packages: what `apt-get install` would be asked for;
    the first names the version.  needed: a pattern that the names of the packages worth unpacking fit as a whole.
    holds: files without which a tree is of no use.
    complete: fetch also what is installed already, where the tree must do without the system's own files.
    """

    name: str
    tree: str
    packages: tuple[str, ...]
    needed: str
    holds: tuple[str, ...]
    complete: bool = False


def cache_folder() -> Path:
    """The user's folder for what is fetched once: WEFT_CACHE_DIR, else below XDG_CACHE_HOME or the home."""
    if chosen := os.environ.get("WEFT_CACHE_DIR"):
        return Path(chosen)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "weft"


def unpacked(wanted: Wanted) -> Path | None:
    """The tree that `unpack` made before, the newest first."""
    trees = sorted(cache_folder().glob(f"{wanted.tree}-*"), key=lambda tree: tree.stat().st_mtime, reverse=True)
    return trees[0] if trees and _holds(trees[0], wanted) else None


def unpack(wanted: Wanted, progress: Progress, prepare: Prepare = lambda root, tree: None) -> Path:
    """The tree as unpacked before, or fetched and unpacked now.

    prepare: is given the unpacked files and the folder where they will be, before they are moved there. Raises: NotAvailable.
    """
    for tool in ("apt-get", "dpkg-deb"):
        if shutil.which(tool) is None:
            raise NotAvailable(f"{wanted.name} is not installed and this system has no {tool} to fetch it with")
    folder = cache_folder()
    try:
        with TurnLock(folder / "lock"):
            return unpacked(wanted) or _fetch(wanted, folder, progress, prepare)
    except OSError as error:
        raise NotAvailable(f"{wanted.name} is not installed and {folder} cannot be used to unpack it: {error}") from error


def _holds(tree: Path, wanted: Wanted) -> bool:
    return all((tree / file).exists() for file in wanted.holds)


def _fetch(wanted: Wanted, folder: Path, progress: Progress, prepare: Prepare) -> Path:
    apt = ["-o", f"APT::Sandbox::User={_user_name()}"]
    # A system on which nothing is installed: the plan then names everything.
    bare = ["-o", "Dir::State::status=/dev/null"] if wanted.complete else []
    try:
        return _download(wanted, folder, [*apt, *bare], progress, prepare)
    except NotAvailable:
        progress("Reading the distribution's package lists")
        private = _private_lists(folder)
        _run(["apt-get", *apt, *private, "-q", "update"], "the package lists could not be read")
        return _download(wanted, folder, [*apt, *private, *bare], progress, prepare)


def _download(wanted: Wanted, folder: Path, apt: list[str], progress: Progress, prepare: Prepare) -> Path:
    plan = _run(
        ["apt-get", *apt, "install", "-s", "--no-install-recommends", *wanted.packages], f"the distribution offers no {wanted.name}"
    )
    needed = dict(re.findall(rf"^Inst ({wanted.needed}) \((\S+)", plan, re.MULTILINE))
    version = needed.get(wanted.packages[0])
    if version is None:
        raise NotAvailable(f"the distribution offers no {wanted.name}")
    progress(f"Fetching {wanted.name} {version} from the distribution ({len(needed)} packages, once)")
    draft = folder / "draft"
    shutil.rmtree(draft, ignore_errors=True)
    (draft / "packages").mkdir(parents=True)
    exact = [f"{name}={version}" for name, version in needed.items()]
    _run(["apt-get", *apt, "-q", "download", *exact], "the packages could not be fetched", draft / "packages")
    progress(f"Unpacking {wanted.name}")
    for package in sorted((draft / "packages").glob("*.deb")):
        _run(["dpkg-deb", "-x", str(package), str(draft / "root")], f"{package.name} could not be unpacked")
    if not _holds(draft / "root", wanted):
        raise NotAvailable(f"the distribution's {wanted.name} packages hold no {' or no '.join(wanted.holds)}")
    tree = folder / f"{wanted.tree}-{re.sub(r'[^A-Za-z0-9.+~-]', '_', version)}"
    prepare(draft / "root", tree)
    (draft / "root").rename(tree)
    shutil.rmtree(draft)
    return tree


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
