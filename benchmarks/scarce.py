"""Every stage without disk, rights, memory, file handles or a steady clock.

    python -m benchmarks.scarce FOLDER [CASE ...]

FOLDER is a project whose `dvc repro` is done, such as the one that `benchmarks.killed` leaves. Its
stages run in a copy on a tmpfs, whose temporary files lie there too. Needs root, to mount it and to
give it to another user, and `faketime` for the clock. Each run must succeed or end with status 1
and one line that says what to do; afterwards the same stage must succeed there under usual
conditions, and write what it wrote in FOLDER, to the byte. Ends with status 1 if one does not.

Without memory, native code of a library may end the process itself (`terminate called`, a
segmentation fault), or the kernel may kill it, of which Python learns nothing: that is printed and
not counted, but the stage must succeed afterwards.
"""

import argparse
import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

from ruamel.yaml import YAML

ROOM = 300  # MB for what the stages write
STRANGER = 65534  # number of a user
LEFT = 8  # kB that are free on the full disk
KEPT = ("data", "models", "metrics", "lbtts", "stages", "params.yaml")

Prefix = list[str]  # what stands before the command
Conditions = Callable[[Path], AbstractContextManager[Prefix]]


@contextlib.contextmanager
def usual(disk: Path) -> Iterator[Prefix]:
    """Nothing is scarce."""
    yield []


@contextlib.contextmanager
def full(disk: Path) -> Iterator[Prefix]:
    """The disk is full but for some kilobytes."""
    free = os.statvfs(disk)
    filler = disk / "filler"
    with filler.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, free.f_bavail * free.f_bsize - LEFT * 1024)
    yield ["env", "TMPDIR=/tmp"]
    filler.unlink()


@contextlib.contextmanager
def read_only(disk: Path) -> Iterator[Prefix]:
    """Nothing can be written, but for temporary files."""
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    yield ["env", "TMPDIR=/tmp"]
    subprocess.run(["mount", "-o", "remount,rw", str(disk)], check=True)


@contextlib.contextmanager
def others(disk: Path) -> Iterator[Prefix]:
    """All belongs to another user, and root has no more rights than anybody."""
    subprocess.run(["chown", "-R", str(STRANGER), str(disk)], check=True)
    yield ["setpriv", "--bounding-set=-dac_override,-dac_read_search,-fowner,-chown"]
    subprocess.run(["chown", "-R", "0", str(disk)], check=True)


def limited(option: str, value: int) -> Conditions:
    """A limit of the shell: address space in kB (-v), open files (-n)."""

    @contextlib.contextmanager
    def conditions(disk: Path) -> Iterator[Prefix]:
        yield ["bash", "-c", f'ulimit {option} {value}; exec "$@"', "-"]

    return conditions


def grouped(megabytes: int) -> Conditions:
    """A control group with so much memory; the kernel kills a process of it that wants more."""

    @contextlib.contextmanager
    def conditions(disk: Path) -> Iterator[Prefix]:
        first = Path("/sys/fs/cgroup/memory")
        group = (first if first.exists() else first.parent) / "lbtts"
        group.mkdir()
        limit = "memory.limit_in_bytes" if first.exists() else "memory.max"
        (group / limit).write_text(str(megabytes * 10**6))
        yield ["bash", "-c", f'echo $$ > {group}/cgroup.procs; exec "$@"', "-"]
        while (group / "cgroup.procs").read_text():  # joblib's helper ends a little later
            time.sleep(0.1)
        group.rmdir()

    return conditions


def clock(rate: str) -> Conditions:
    """A clock that is another one, or runs at another rate."""

    @contextlib.contextmanager
    def conditions(disk: Path) -> Iterator[Prefix]:
        yield ["faketime", "-f", rate]

    return conditions


GIGABYTE = 1_000_000  # kB
ENDED = {
    -signal.SIGABRT: "a library aborts",
    -signal.SIGSEGV: "a library has a segmentation fault",
    -signal.SIGKILL: "the kernel kills it",
}
HEAVY = ("align", "features", "train")
CASES: dict[str, tuple[Conditions, tuple[str, ...]]] = {
    "full": (full, ()),
    "read-only": (read_only, ("corpus", "lexicon", *HEAVY, "export")),
    "others": (others, ("corpus", *HEAVY)),
    "handles-24": (limited("-n", 24), HEAVY),
    "handles-48": (limited("-n", 48), HEAVY),
    "memory-1": (limited("-v", 1 * GIGABYTE), HEAVY),
    "memory-2": (limited("-v", 2 * GIGABYTE), HEAVY),
    "memory-3": (limited("-v", 3 * GIGABYTE), HEAVY),
    "memory-group": (grouped(500), HEAVY),
    "clock-back": (clock("-10y"), HEAVY),
    "clock-fast": (clock("+0 x1000"), HEAVY),
}


def run(stage: str, disk: Path, conditions: Conditions) -> tuple[int, str]:
    """The status of a stage, and what it says on standard error besides progress."""
    variables = os.environ | {"TMPDIR": str(disk / "tmp"), "PYTHONDONTWRITEBYTECODE": "1"}
    with conditions(disk) as prefix:
        done = subprocess.run(
            [*prefix, sys.executable, "-m", f"stages.{stage}"],
            cwd=disk,
            env=variables,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
    lines = done.stderr.decode(errors="replace").replace("\r", "\n").splitlines()
    return done.returncode, "\n".join(line for line in lines if line and "%|" not in line)


def fault(status: int, said: str) -> str | None:
    """What is wrong with how a stage ended."""
    errors = [line for line in said.splitlines() if line.startswith("error: ")]
    if status == 0 or (status == 1 and len(errors) == 1 and "Traceback" not in said):
        return None
    return f"status {status}: " + " | ".join(said.splitlines()[-3:])


def fresh(folder: Path, disk: Path, without: list[str]) -> None:
    """Makes the disk hold the project as its stages left it, without these outputs."""
    for path in disk.iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    for name in KEPT:
        source = folder / name
        if source.is_dir():
            shutil.copytree(source, disk / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, disk)
    for output in without:
        path = disk / output
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    (disk / "tmp").mkdir(mode=0o1777)


def differences(folder: Path, disk: Path, outputs: list[str]) -> list[str]:
    """The files of a stage's outputs that are not the same in both."""
    found = []
    for output in outputs:
        names = {
            str(path.relative_to(root))
            for root in (folder, disk)
            for path in (root / output, *(root / output).rglob("*"))
            if path.is_file()
        }
        for name in sorted(names):
            one, other = folder / name, disk / name
            if not (one.is_file() and other.is_file() and one.read_bytes() == other.read_bytes()):
                found.append(name)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("cases", nargs="*", choices=[[], *CASES])
    given = parser.parse_args()
    folder = given.folder.resolve()
    described = YAML(typ="safe").load((folder / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
    faults = 0
    with tempfile.TemporaryDirectory() as mounted:
        disk = Path(mounted)
        options = f"size={ROOM}m,mode=755"
        subprocess.run(["mount", "-t", "tmpfs", "-o", options, "none", mounted], check=True)
        try:
            for name in given.cases or CASES:
                conditions, stages = CASES[name]
                for stage in stages or described:
                    outputs = described[stage]["outs"]
                    fresh(folder, disk, outputs)
                    status, said = run(stage, disk, conditions)
                    ended = name.startswith("memory") and ENDED.get(status)
                    wrong = [] if ended else [fault(status, said)]
                    if status:
                        again, reason = run(stage, disk, usual)
                        wrong.append(f"again: {reason}" if again else None)
                    wrong += [f"differs: {file}" for file in differences(folder, disk, outputs)]
                    found = [line for line in wrong if line]
                    last = said.splitlines()[-1:] if status else ["succeeds"]
                    told = ended or "".join(last)[:200]
                    print(f"{name} {stage}: {' || '.join(found) or told}", flush=True)
                    faults += bool(found)
        finally:
            subprocess.run(["umount", mounted], check=True)
    print(f"{faults} faults")
    sys.exit(bool(faults))


if __name__ == "__main__":
    main()
