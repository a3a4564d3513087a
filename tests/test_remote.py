"""What one machine made, pulled by a fresh clone on another: `dvc repro` has nothing to do."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from tests.conftest import ROOT

pytestmark = pytest.mark.slow  # runs five stages

LAST = "durations"
SMALL = {
    "ensemble": 1, "embedding": 4, "encoder": 8, "layers": 1, "prediction": 6, "epochs": 1,
}  # fmt: skip
PATHS = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
PERSON = {"AUTHOR_NAME": "me", "AUTHOR_EMAIL": "me@here"}
PERSON |= {name.replace("AUTHOR", "COMMITTER"): value for name, value in PERSON.items()}


def run(folder: Path, *words: str) -> str:
    """What a command of git or DVC says."""
    start = (sys.executable, "-m", "dvc") if words[0] == "dvc" else words[:1]
    done = subprocess.run(
        [*start, *words[1:]],
        cwd=folder,
        env=os.environ | {f"GIT_{name}": value for name, value in PERSON.items()} | {"PATH": PATHS},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def digests(folder: Path) -> dict[str, str]:
    """The sum of each file that the stages wrote."""
    kinds = ("corpus", "lexicon", "g2p", "alignment", "durations.csv")
    paths = [
        path
        for kind in kinds
        for path in (folder / "data" / kind, *(folder / "data" / kind).rglob("*"))
    ]
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in (folder / "data/durations.csv", *paths)
        if path.is_file()
    }


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A project after some of its stages, with its lock file committed."""
    folder = tmp_path_factory.mktemp("made") / "project"
    run(ROOT, "git", "clone", "-q", str(ROOT), str(folder))
    yaml = YAML()
    params = yaml.load(ROOT / "profiles/demo.yaml")
    params["lexicon"]["network"].update(SMALL)
    params["run"]["jobs"] = 1
    yaml.dump(params, folder / "params.yaml")
    run(folder, "dvc", "repro", LAST)
    run(folder, "git", "add", "-f", "params.yaml", "dvc.lock", "metrics")
    run(folder, "git", "commit", "-q", "-m", "Run")
    return folder


@pytest.fixture
def shared_folder(tmp_path):
    return str(tmp_path / "store"), {}


@pytest.fixture
def objects(monkeypatch):
    """Object storage: moto's server of S3."""
    pytest.importorskip("dvc_s3", reason="pip install dvc-s3 'moto[s3,server]'")
    server = pytest.importorskip("moto.server", reason="pip install 'moto[s3,server]'")
    import boto3

    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    moto = server.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    moto.start()
    try:
        address = "http://{}:{}".format(*moto.get_host_and_port())
        boto3.client("s3", endpoint_url=address).create_bucket(Bucket="voices")
        yield "s3://voices/lb", {"endpointurl": address}
    finally:
        moto.stop()


@pytest.mark.parametrize("storage", ["shared_folder", "objects"])
def test_a_clone_elsewhere_pulls_all_and_has_nothing_to_do(made, storage, tmp_path, request):
    address, options = request.getfixturevalue(storage)
    clone = tmp_path / "elsewhere" / "clone"
    run(ROOT, "git", "clone", "-q", str(made), str(clone))
    for folder in (made, clone):
        run(folder, "dvc", "remote", "add", "--local", "-d", "-f", "store", address)
        for name, value in options.items():
            run(folder, "dvc", "remote", "modify", "--local", "store", name, value)
    run(made, "dvc", "push", "-q", LAST, "--with-deps")
    run(clone, "dvc", "pull", "-q", LAST, "--with-deps")
    assert digests(clone) == digests(made)
    said = run(clone, "dvc", "repro", LAST)
    assert "Running stage" not in said and "up to date" in said
    assert not run(clone, "git", "status", "--porcelain", "--untracked-files=no")
