"""Training over two machines, played by network namespaces; one is lost, and both go on."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress

import psutil
import pytest
import torch

from lbtts.training import resume, trainer
from tests.conftest import ROOT
from tests.corpora import equal_utterances

pytestmark = pytest.mark.slow  # three runs of two processes

ADDRESSES = ("10.89.7.1", "10.89.7.2")
PORT = 29517
CHANGES = {"batch_seconds": 1.6, "steps": 24, "ema": 0.8}


def ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)


@pytest.fixture(scope="module")
def features(tmp_path_factory):
    return equal_utterances(tmp_path_factory.mktemp("features"), "abcde")


@pytest.fixture(scope="module")
def alone(features, tmp_path_factory):
    """The folder of an undisturbed training in two processes on this machine."""
    folder = tmp_path_factory.mktemp("alone") / "run"
    assert trained(folder, features, ("--standalone", "--nproc-per-node=2")).wait() == 0
    return folder


@pytest.fixture
def machines():
    """Two namespaces with a cable between them; what is in one sees nothing but the other."""
    if os.geteuid() or not shutil.which("ip"):
        pytest.skip("network namespaces need root and iproute2")
    names = [f"lbtts-{os.getpid()}-{number}" for number in range(2)]
    ends = [f"lb{os.getpid()}.{number}" for number in range(2)]
    try:
        try:
            for name in names:
                ip("netns", "add", name)
            ip("link", "add", ends[0], "type", "veth", "peer", "name", ends[1])
        except subprocess.CalledProcessError as error:
            pytest.skip(f"no network namespaces here: {error.stderr.decode().strip()}")
        for name, end, address in zip(names, ends, ADDRESSES, strict=True):
            ip("link", "set", end, "netns", name)
            ip("-n", name, "address", "add", f"{address}/30", "dev", end)
            ip("-n", name, "link", "set", end, "up")
            ip("-n", name, "link", "set", "lo", "up")
        yield list(zip(names, ends, strict=True))
    finally:
        for name in names:  # the cable goes with its end
            with suppress(subprocess.CalledProcessError):
                ip("netns", "delete", name)


def trained(folder, features, launch, prefix=(), **environment):
    """torchrun, training in `folder`."""
    words = [features, folder, folder.with_suffix(".pt"), json.dumps(CHANGES)]
    command = [sys.executable, "-m", "torch.distributed.run", *launch, "-m", "tests.train_small"]
    return subprocess.Popen(
        [*prefix, *command, *map(str, words)],
        cwd=ROOT,
        env=os.environ | environment,
        stdout=subprocess.DEVNULL,
        stderr=folder.with_suffix(".log").open("a"),
    )


def nodes(machines, folder, features):
    """The agents of a training over both machines."""
    where = (f"--master-addr={ADDRESSES[0]}", f"--master-port={PORT}", "--nproc-per-node=1")
    return [
        trained(
            folder,
            features,
            ("--nnodes=2", f"--node-rank={rank}", *where),
            ("ip", "netns", "exec", name),
            GLOO_SOCKET_IFNAME=end,
        )
        for rank, (name, end) in enumerate(machines)
    ]


def processes(name):
    """All that run on a machine."""
    found = subprocess.run(["ip", "netns", "pids", name], check=True, capture_output=True)
    return [psutil.Process(int(number)) for number in found.stdout.split()]


def step(folder):
    saved = resume.load(folder / trainer.CHECKPOINT)
    return 0 if saved is None else saved["state"]["step"]


@pytest.mark.parametrize("lost", [0, 1])
def test_a_machine_is_lost_and_both_go_on_to_the_same_weights(
    machines, features, alone, tmp_path, lost
):
    apart = tmp_path / "apart"
    running = nodes(machines, apart, features)
    while step(apart) < 5:
        assert all(node.poll() is None for node in running), apart.with_suffix(".log").read_text()
        time.sleep(0.1)
    for process in processes(machines[lost][0]):
        process.kill()
    assert running[lost].wait() == -signal.SIGKILL
    other = running[1 - lost]
    family = processes(machines[1 - lost][0])
    assert other.wait(timeout=120) == 1
    _, left = psutil.wait_procs(family, timeout=20)
    assert not left, "the other machine's processes have not ended"
    assert 5 <= step(apart) < CHANGES["steps"], "it was not in the middle"

    assert [node.wait() for node in nodes(machines, apart, features)] == [0, 0]
    one, two = (torch.load(f.with_suffix(".pt"), weights_only=True) for f in (alone, apart))
    assert one.keys() == two.keys()
    assert all(torch.equal(value, two[name]) for name, value in one.items())
