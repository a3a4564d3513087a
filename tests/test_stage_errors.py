"""What a stage cannot do: one line, status 1; and a fault of the program keeps its traceback."""

import errno
import os
import resource
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import soundfile
import torch
from joblib.externals.loky.process_executor import TerminatedWorkerError

from lbtts.errors import InputError
from stages import run
from tests.conftest import ROOT


def ended(error, resumes=False):
    """The message with which a stage ends that raises `error`."""

    def main():
        raise error

    with pytest.raises(SystemExit) as raised:
        run(main, resumes)
    message = str(raised.value.code)
    assert len(message.splitlines()) == 1
    return message


@pytest.mark.parametrize(
    ("code", "remedy"),
    [
        (errno.ENOSPC, "free some space"),
        (errno.EROFS, "make it writable"),
        (errno.EACCES, "give this user the right"),
        (errno.EMFILE, "raise `ulimit -n`"),
        (errno.EIO, "look at it"),
    ],
)
def test_what_the_system_refuses_is_named_with_a_remedy(code, remedy):
    message = ended(OSError(code, os.strerror(code), "data/features.h5"))
    assert message.startswith(f"error: data/features.h5: {os.strerror(code)}; {remedy}")


def test_a_copy_that_fails_names_the_file_that_could_not_be_written():
    full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "read.so", None, "written.so")
    assert ended(full).startswith("error: written.so: ")


def audio(path):
    soundfile.write(path, np.zeros(2**16), 24_000, format="WAV")


def published(path):
    torch.save({"a": torch.zeros(2**16)}, path)


@pytest.mark.parametrize("write", [audio, published])
def test_every_librarys_way_to_say_that_the_disk_is_full_is_known(write):
    with pytest.raises(Exception) as raised:
        write("/dev/full")
    assert "free some space" in ended(raised.value)


def test_a_full_disk_loses_nothing_of_a_stage_that_resumes():
    full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert "finished work is kept; run the same command to continue" in ended(full, resumes=True)


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        OSError(errno.ENOMEM, os.strerror(errno.ENOMEM)),
        TerminatedWorkerError("A worker process was unexpectedly terminated.\nlong story"),
        RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory"),
    ],
)
def test_want_of_memory_is_named(error):
    assert ended(error).startswith("error: not enough memory; lower run.jobs")


def test_want_of_memory_is_named_where_it_led_to_another_error():
    error = ImportError("numpy could not be imported")
    error.__cause__ = ImportError("libopenblas.so: failed to map segment from shared object")
    assert ended(error).startswith("error: not enough memory")


@pytest.mark.parametrize(
    "error",
    [
        OSError("Could not find/load shared object file 'libllvmlite.so'"),
        SystemError("<function _find_and_load> returned NULL without setting an exception"),
    ],
)
def test_what_cannot_be_loaded_into_a_limited_address_space_is_too_large_for_it(error, monkeypatch):
    with pytest.raises(type(error)):
        ended(error)
    unlimited = resource.getrlimit
    monkeypatch.setattr(
        resource,
        "getrlimit",
        lambda kind: (2**30, -1) if kind == resource.RLIMIT_AS else unlimited(kind),
    )
    assert ended(error).startswith("error: not enough memory")


def test_bad_input_is_its_own_line():
    assert ended(InputError("a.wav: empty; remove it")) == "error: a.wav: empty; remove it"


@pytest.mark.parametrize("error", [ValueError("x"), RuntimeError("shapes do not match")])
def test_a_fault_of_the_program_keeps_its_traceback(error):
    def main():
        raise error

    with pytest.raises(type(error)):
        run(main)


def test_torch_says_that_memory_ran_out_in_the_words_that_are_looked_for():
    with pytest.raises(RuntimeError, match="DefaultCPUAllocator"):
        torch.empty(2**58, dtype=torch.uint8)


def test_too_few_file_handles_are_refused_before_anything_is_done(monkeypatch):
    monkeypatch.setattr(resource, "getrlimit", lambda _: (48, 48))
    with pytest.raises(SystemExit, match=r"at most 48 files.*ulimit -n 1024"):
        run(pytest.fail)


WAIT = "import time; print('on', flush=True); time.sleep(60)"
# As training does, with processes that read.
READ = """
from time import sleep
from torch.utils.data import DataLoader
from lbtts.training.trainer import leave_group
items = range(10**6)
batches = iter(DataLoader(items, batch_size=None, num_workers=2, worker_init_fn=leave_group))
next(batches)
print("on", flush=True)
while True:
    next(batches), sleep(0.001)
"""


@pytest.mark.parametrize(
    ("number", "work"), [(signal.SIGINT, WAIT), (signal.SIGTERM, WAIT), (signal.SIGTERM, READ)]
)
def test_an_interrupted_stage_says_so_in_one_line(number, work, tmp_path):
    program = f"from stages import run; run(lambda: exec({work!r}, {{}}))"
    process = subprocess.Popen(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None and process.stdout.readline() == "on\n"
    time.sleep(0.1)
    os.killpg(process.pid, number)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 1
    assert errors == (
        "interrupted: nothing is kept; run the same command to start the stage again\n"
    )


@pytest.mark.parametrize(
    ("fault", "line"),
    [
        ("KeyboardInterrupt", "interrupted: nothing was begun; run the same command"),
        ("os.kill(os.getpid(), 15)", "interrupted: nothing was begun; run the same command"),
        ("MemoryError", "error: not enough memory; lower run.jobs, raise `ulimit -v`, or close"),
        ("ImportError('x.so: failed to map segment')", "error: not enough memory; lower run.jobs"),
    ],
)
def test_what_happens_while_a_stage_is_loaded_is_one_line_too(fault, line):
    at_exit = "import atexit; atexit.register(lambda: [][0])"  # as much fails without memory
    program = f"import os, stages; {at_exit}; raise {fault}"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, stderr=subprocess.PIPE, text=True, check=False
    )
    assert done.returncode == 1
    assert done.stderr.startswith(line) and done.stderr.count("\n") == 1


@pytest.mark.skipif(not os.path.exists("/proc/self/maps"), reason="needs Linux' list of libraries")
def test_threads_are_told_how_long_to_spin_before_their_library_is_loaded():
    loaded = "print('gomp' in open('/proc/self/maps').read(), os.environ['GOMP_SPINCOUNT'])"
    program = f"import os, stages; {loaded}; import torch; {loaded}"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True
    )
    assert done.stdout.splitlines() == ["False 20000", "True 20000"]
