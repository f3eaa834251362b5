"""The model checker and a C compiler for it: what is installed, else the distribution's packages unpacked in the user's cache.

spin turns a model into a C program, the verifier. tcc compiles that in a fifth of a second, so the small packages will do.
"""

import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from weft.stack import packages
from weft.stack.packages import NotAvailable, Progress, Wanted

TOOLS = Wanted(
    name="spin",
    tree="spin",
    packages=("spin", "tcc", "libc6-dev"),
    needed="(?:spin|tcc|libc6-dev|linux-libc-dev)",
    holds=("usr/bin/spin", "usr/bin/tcc", "usr/include/stdio.h"),
    complete=True,
)
MEMORY_MIB = 4000
DEPTH = 5000
"""Steps of a run, at most. The longest has less than a hundred; one that went past this would make the search incomplete."""
PROBE = b'#include <stdio.h>\nint main(void) { return puts("") < 0; }\n'


@dataclass(frozen=True)
class Verdict:
    """What a search found. property: the broken assertion as the verifier prints it, empty when there is none."""

    errors: int
    states: int
    complete: bool
    property: str
    output: str


@dataclass(frozen=True)
class Compiler:
    """A C compiler: what stands before and after the source."""

    program: str
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()

    def compile(self, source: Path, program: Path, *options: str) -> None:
        """Make the program. Raises: AssertionError with what the compiler says."""
        _run([self.program, *self.before, "-w", *options, "-o", str(program), str(source), *self.after], source.parent)


@dataclass(frozen=True)
class Checker:
    """spin with its compiler."""

    spin: str
    compiler: Compiler

    def search(self, model: Path, folder: Path, defines: Mapping[str, object], *, thorough: bool = False, cycles: bool = False) -> Verdict:
        """Search every state of a model with these definitions.

        folder: an empty one, for what is made on the way.  thorough: the search is long, so that compiling well pays.
        cycles: look for runs that never end, instead of for assertions that fail.
        """
        macros = [f"-D{name}={value}" for name, value in defines.items()]
        preprocessor = " ".join([self.compiler.program, *self.compiler.before, "-E", "-x", "c"])
        _run([self.spin, f"-P{preprocessor}", *macros, "-a", str(model)], folder)
        kind = "-DNP" if cycles else "-DSAFETY"
        level = "-O1" if thorough else "-O0"
        self.compiler.compile(folder / "pan.c", folder / "pan", level, kind, "-DNOREDUCE", f"-DMEMLIM={MEMORY_MIB}")
        return verdict(_run(["./pan", f"-m{DEPTH}", "-w22", *(["-l"] if cycles else [])], folder))


def verdict(output: str) -> Verdict:
    """Read what the verifier prints. Raises: AssertionError when it came to no result."""
    errors, states = re.search(r"errors: (\d+)", output), re.search(r"(\d+(?:\.\d+e\+\d+)?) states, stored", output)
    assert errors and states, output
    broken = re.search(r"assertion violated (.*?) \(at depth", output) or re.search(r"pan:1: (.*?) \(at depth", output)
    incomplete = re.search(r"not completed|depth too small|out of memory|MEMLIM bound", output)
    return Verdict(int(errors[1]), int(float(states[1])), incomplete is None, broken[1] if broken else "", output)


def find(folder: Path, progress: Progress = lambda text: None) -> Checker:
    """The checker, fetched when nothing is installed. folder: where a compiler may be tried out. Raises: NotAvailable."""
    spin, compiler = shutil.which("spin"), _installed(folder)
    if spin is not None and compiler is not None:
        return Checker(spin, compiler)
    tree = packages.unpacked(TOOLS) or packages.unpack(TOOLS, progress)
    return Checker(spin or str(tree / "usr/bin/spin"), compiler or _tcc(tree))


def _installed(folder: Path) -> Compiler | None:
    """The system's compiler, when it has the C library's headers too."""
    (folder / "probe.c").write_bytes(PROBE)
    for name in ("gcc", "cc", "tcc"):
        program = shutil.which(name)
        if program is not None:
            done = subprocess.run([program, "-o", "probe", "probe.c"], cwd=folder, capture_output=True, timeout=60, check=False)
            if done.returncode == 0:
                return Compiler(program)
    return None


def _tcc(tree: Path) -> Compiler:
    """The unpacked compiler: it is told where everything lies, for nothing is where it was built to be."""
    found = next(tree.glob("usr/lib/*/tcc"), None)
    if found is None:
        raise NotAvailable(f"the distribution's tcc has no files of its own in {tree}")
    library, triplet = found.parent, found.parent.name
    runtime = Path("/lib") / triplet / "libc.so.6"
    if not runtime.exists():
        raise NotAvailable(f"tcc links with {runtime}, which this system does not have")
    headers = [f"-I{folder}" for folder in (found / "include", tree / "usr/include" / triplet, tree / "usr/include")]
    return Compiler(
        str(tree / "usr/bin/tcc"),
        (f"-B{found}", "-nostdinc", "-nostdlib", *headers),
        (
            *(str(library / name) for name in ("crt1.o", "crti.o")),
            str(runtime),
            *(str(file) for file in (library / "libc_nonshared.a", found / "libtcc1.a", library / "crtn.o")),
        ),
    )


def _run(command: list[str], folder: Path) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=200, check=False)
    assert done.returncode == 0, f"{command[0]} failed in {folder}: {done.stdout[-2000:]}{done.stderr[-2000:]}"
    return done.stdout
