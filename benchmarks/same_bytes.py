"""Does the code of two commits make the same files? For moves that must change nothing.

    python -m benchmarks.same_bytes COMMIT [--marylux FOLDER] [--keep FOLDER]

Runs the data stages on 24 sentences of the demo, and on 40 utterances of the Marylux corpus where
FOLDER holds it, then some steps of training on a miniature of Kokoro, once with the code that is
here and once with that of COMMIT, each in a fresh process with its own commit's `profiles/`.
Ends with status 1 where a file that both commits write differs, naming each, or where one commit
writes a file that the other does not and `RENAMED` does not tell of.
"""

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import h5py
import torch
from ruamel.yaml import YAML

ROOT = Path(__file__).resolve().parent.parent
STAGES = ("corpus", "lexicon", "g2p", "align", "durations", "audit", "features")
KEPT = ("data/corpus", "data/lexicon", "data/g2p", "data/alignment")
TABLES = ("data/durations.csv", "data/features_report.csv")
SENTENCES, UTTERANCES = 24, 40
LEXICON = {"test_share": 0.9}  # of the words the stage need not learn more to be compared
CHANGES = '{"steps": 8, "losses": {"adversarial": {"weight": 1, "start": 2}}}'
RENAMED = {  # file of an older commit: what it is called now
    f"{project}/data/alignment/utterances.jsonl": f"{project}/data/alignment/spoken.jsonl"
    for project in ("demo", "marylux")
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("commit")
    parser.add_argument("--marylux", type=Path)
    parser.add_argument("--keep", type=Path, help="where the two projects stay")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        out = args.keep or Path(temporary)
        older = out / "older-code"
        subprocess.run(
            ["git", "worktree", "add", "--detach", "--force", str(older), args.commit],
            cwd=ROOT,
            check=True,
        )
        try:
            made = [
                results(code, out / name, args.marylux)
                for name, code in (("older", older), ("newer", ROOT))
            ]
        finally:
            subprocess.run(
                ["git", "worktree", "remove", "--force", str(older)], cwd=ROOT, check=True
            )
    before = {RENAMED.get(name, name): digest for name, digest in made[0].items()}
    after = made[1]
    different = sorted(
        name for name in before.keys() | after.keys() if before.get(name) != after.get(name)
    )
    for name in different:
        state = "differs" if name in before and name in after else "written by one commit only"
        print(f"{name}: {state}")
    print(f"{len(after) - len(set(different) & set(after))} of {len(after)} equal")
    sys.exit(bool(different))


def results(code: Path, out: Path, marylux: Path | None) -> dict[str, str]:
    """Digests of what the code in `code` makes, by name."""
    found: dict[str, str] = {}
    projects = [demo(code, out / "demo")]
    if marylux:
        projects.append(real(code, out / "marylux", marylux))
    for project in projects:
        for stage in STAGES:
            if not (code / f"stages/{stage}.py").exists():
                continue  # of a later commit
            call(code, project, f"stages.{stage}")
        found |= {f"{project.name}/{k}": v for k, v in digests(project).items()}
        weights = project / "weights.pt"
        arguments = ("data/features.h5", "scratch/train", str(weights), CHANGES)
        call(code, project, "tests.train_small", *arguments)
        state = torch.load(weights, weights_only=True)
        found[f"{project.name}/weights"] = digest(
            b"".join(state[name].contiguous().numpy().tobytes() for name in sorted(state))
        )
    return found


def demo(code: Path, project: Path) -> Path:
    raw = project / "data/raw/demo"
    raw.mkdir(parents=True)
    lines = (code / "data/raw/demo/sentences.txt").read_text(encoding="utf-8").splitlines()
    (raw / "sentences.txt").write_text("\n".join(lines[:SENTENCES]), encoding="utf-8")
    return configured(code, project, "demo", {})


def real(code: Path, project: Path, marylux: Path) -> Path:
    raw = project / "data/raw/marylux"
    raw.mkdir(parents=True)
    lines = (marylux / "metadata.csv").read_text(encoding="utf-8").splitlines()
    (raw / "metadata.csv").write_text("\n".join(lines[:UTTERANCES]), encoding="utf-8")
    (raw / "wavs").symlink_to((marylux / "wavs").resolve())
    return configured(code, project, "folder", {"source": "ljspeech", "name": "marylux"})


def configured(code: Path, project: Path, profile: str, corpus: dict[str, Any]) -> Path:
    """The project with a commit's own profile, in one process so that order cannot matter."""
    yaml = YAML(typ="safe")
    params = yaml.load((code / f"profiles/{profile}.yaml").read_text(encoding="utf-8"))
    params["run"] |= {"jobs": 1, "max_rejected": 0.5}
    params["corpus"] |= corpus
    params["lexicon"] |= LEXICON
    params["lexicon"]["network"]["epochs"] = 1
    with (project / "params.yaml").open("w", encoding="utf-8") as file:
        yaml.dump(params, file)
    shutil.copy(code / "data/additions.tsv", project / "data")
    return project


def call(code: Path, project: Path, module: str, *arguments: str) -> None:
    subprocess.run(
        [sys.executable, "-m", module, *arguments],
        cwd=project,
        env=os.environ | {"PYTHONPATH": str(code), "OMP_NUM_THREADS": "1"},
        check=True,
    )


def digests(project: Path) -> dict[str, str]:
    files = [path for folder in KEPT for path in (project / folder).rglob("*") if path.is_file()]
    files += [project / table for table in TABLES]
    found = {str(path.relative_to(project)): digest(path.read_bytes()) for path in files}
    with h5py.File(project / "data/features.h5") as store:
        found |= {f"features.h5/{name}": digest(data[()].tobytes()) for name, data in store.items()}
    return found


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


if __name__ == "__main__":
    main()
