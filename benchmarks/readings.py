"""A corpus whose reader never tires: Luxembourgish sentences read by espeak-ng, one way throughout.

With one voice, one rate and one pitch, what a network has not learned from a few hours of it is the
network's or the trainer's fault, not the reader's.
"""

import os
import re
import shutil
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import soundfile
from joblib import Parallel, delayed
from ruamel.yaml import YAML
from tqdm import tqdm

from lbtts.corpus.readers import read_utf8
from lbtts.espeak import speak
from lbtts.params import Components

ROOT = Path(__file__).resolve().parent.parent
NAME = "espeak"
HELD_OUT = 0.03
# Characters, and as many of each length as can be had: the voice table's rows go by length, and
# where all sentences are alike the row says nothing.
SHORTEST, LONGEST, BIN = 10, 110, 10
COUNT = 200  # sentences a bin
RATE, PITCH = 150, 50  # words a minute; espeak's 0-99 scale
STAGES = ("corpus", "lexicon", "g2p", "align", "durations", "features", "voice")

# For a network of 2 M parameters that begins at random, on two cores. It sees no more in two hours
# than a few passes over the corpus, so the steps are small and the rates are high.
TRAIN = {
    "steps": 8000,
    "batch_seconds": 4,
    "crop_seconds": 0.8,
    "lr": 1.5e-3,
    "warmup": 600,
    "ema": 0.995,
    "validate_every": 250,
    "checkpoint_every": 100,
    "validation_utterances": 16,
    "choose": "loss",
    "patience": None,
}
RATES = {"bert": 1 / 3, "voice": 0.2}  # relative
KOKORO = {
    "components": {
        name: {"lr": RATES.get(name, 1), "frozen": 0, "anchor": 0, "rank": None}
        for name in Components.model_fields
    },
    "teacher_forcing": {"hold": 3000, "decay": 3000, "final_ratio": 0.5},
}


def choose(lines: list[str]) -> list[str]:
    """2,000 different sentences without digits, short and long ones alike, evenly spread."""
    bins: dict[int, list[str]] = defaultdict(list)
    for line in dict.fromkeys(line.strip() for line in lines):
        if SHORTEST <= len(line) < LONGEST and not re.search(r"[\d|]", line):
            bins[len(line) // BIN].append(line)
    chosen = []
    for fit in bins.values():
        count = min(COUNT, len(fit))
        chosen += [fit[k * len(fit) // count] for k in range(count)]
    return chosen


def read_out(text: str, path: Path) -> None:
    """Writes `text` as espeak says it to `path`, unless it was said before."""
    if not path.exists():
        speech = speak(text, "lb", words_per_minute=RATE, pitch=PITCH)
        unfinished = path.with_suffix(".part")
        soundfile.write(unfinished, speech.samples, speech.rate, "PCM_16", format="WAV")
        unfinished.rename(path)


def choices() -> dict:
    """The profile of one's own corpus, changed where espeak or the time at hand asks for it."""
    tree = YAML(typ="safe").load((ROOT / "profiles/folder.yaml").read_text(encoding="utf-8"))
    tree["corpus"] |= {
        "source": "ljspeech",
        "name": NAME,
        "speaker": "espeak-ng",
        "licence": "CC0-1.0",
        "attribution": "Example sentences of the LOD, read by espeak-ng's Luxembourgish voice.",
        "test_share": HELD_OUT,
    }
    tree["align"]["quality"]["reject_below"] = -25  # espeak reads some words in its own way
    tree["align"]["kaldi"]["training_utterances"] = 600
    tree["features"]["f0"]["method"] = "dio"
    tree["base"]["source"] = "random"
    tree["train"] |= TRAIN
    tree["kokoro"] |= KOKORO
    return tree


def stage(name: str, folder: Path) -> None:
    """Runs a stage of the pipeline in the project at `folder`."""
    environment = os.environ | {"PYTHONPATH": str(ROOT), "DVC_ROOT": str(folder)}
    command = [sys.executable, "-m", f"stages.{name}"]
    subprocess.run(command, cwd=folder, env=environment, check=True)


def prepare(folder: Path, sentences: Path) -> None:
    """Makes a project at `folder` that is ready to be trained on; `sentences` holds one a line."""
    raw = folder / "data/raw" / NAME
    (raw / "wavs").mkdir(parents=True, exist_ok=True)
    shutil.copy(ROOT / "data/additions.tsv", folder / "data")
    YAML().dump(choices(), folder / "params.yaml")
    texts = {
        f"lod-{number:04d}": text
        for number, text in enumerate(choose(read_utf8(sentences).split("\n")), start=1)
    }
    work = Parallel(n_jobs=-1, return_as="generator")(
        delayed(read_out)(text, raw / "wavs" / f"{name}.wav") for name, text in texts.items()
    )
    for _ in tqdm(work, total=len(texts), desc="read out", unit="utt"):
        pass
    table = "".join(f"{name}|{text}\n" for name, text in texts.items())
    (raw / "metadata.csv").write_text(table, encoding="utf-8")
    for name in STAGES:
        stage(name, folder)
