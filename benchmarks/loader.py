"""How fast crops are read, how full batches are, and how long a training step waits for them.

    python -m benchmarks.loader FOLDER [COPIES]

FOLDER holds audio that soundfile reads. Its clips, each written COPIES (8) times at another level,
make the store. Crops: 16 of two seconds a batch from one worker, in multiples of real time, the
best of three; higher is better, and below some hundred a GPU would wait. Padding: of batches of
whole utterances with a budget of 60 s. Waiting: of the steps of a miniature network on this
machine, the share of time between asking for a batch and having it.
"""

import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import torch
from torch.utils.data import DataLoader
from tqdm import tqdm

from benchmarks import clips, miniature
from lbtts import params
from lbtts.acoustics.measuring import mel
from lbtts.acoustics.store.batching import Batch, Schedule, StepDataset, padding
from lbtts.acoustics.store.features import FeatureStore
from lbtts.acoustics.store.layout import FULL_SCALE, Arrays
from lbtts.acoustics.store.writer import FeatureWriter
from lbtts.grid import UNIT_RATE
from lbtts.models.kokoro.voices.table import initial
from lbtts.params import F0
from lbtts.training import step
from tests.train_small import begin

CROPS, CROP_SECONDS = 16, 2
BUDGET_SECONDS = 60
STEPS, TRAINED = 400, 4
CHOICE = F0(method="harvest", floor=60, ceiling=500, silence_db=30)


def store(folder: Path, target: Path, copies: int) -> FeatureStore:
    """The clips with true mel and energy and a constant F0, which costs the reader the same."""
    audio = clips.load(folder, 10**9)
    with FeatureWriter(target, CHOICE) as writer:
        for copy in tqdm(range(copies), desc="store", unit="copy"):
            for number, clip in enumerate(audio):
                samples = (clip * (1 - 0.05 * copy)).astype(np.int16)
                log_mel = mel.log_mel(samples / FULL_SCALE)
                f0 = np.full(len(log_mel), 150, np.float32)
                row = Arrays(log_mel.astype(np.float16), f0, mel.energy(log_mel), samples)
                units = clips.units(clip)
                tokens = [0, *([50] * (len(units) - 2)), 0]
                writer.add(f"{copy:03d}-{number:05d}", "train", tokens, units, row)
    return FeatureStore(target)


def load(dataset: StepDataset, steps: int) -> Iterable[Batch]:
    """The loader as the trainer makes it."""
    return DataLoader(dataset, sampler=range(steps), batch_size=None, num_workers=1)


def speed(dataset: StepDataset) -> float:
    """Seconds of crops a second, after the worker has started."""
    batches = iter(load(dataset, STEPS))
    next(batches)
    begin, count = time.perf_counter(), sum(len(batch.ids) for batch in batches)
    return count * CROP_SECONDS / (time.perf_counter() - begin)


def waiting(found: FeatureStore, dataset: StepDataset) -> tuple[float, float]:
    """Seconds of an optimizer step, and the share of them spent waiting for its batch."""
    lengths = found.tokens_total[found.indices("train")] - 2
    ids = tuple(found.ids[i] for i in found.indices("train"))
    voice = initial(ids, np.ones((len(lengths), 1), np.float32), lengths, seed=0)
    p = params.load("profiles/demo.yaml")
    state, accelerator = begin(miniature.random(), voice, found, p)
    waited = 0.0
    batches = iter(load(dataset, TRAINED + 1))
    step.train_step(state, next(batches), p.train, accelerator)
    started = time.perf_counter()
    for _ in range(TRAINED):
        asked = time.perf_counter()
        batch = next(batches)
        waited += time.perf_counter() - asked
        step.train_step(state, batch, p.train, accelerator)
    total = time.perf_counter() - started
    return total / TRAINED, waited / total


def main() -> None:
    torch.set_num_threads(1)
    copies = int(sys.argv[2]) if len(sys.argv) > 2 else 8
    with tempfile.TemporaryDirectory() as name:
        found = store(Path(sys.argv[1]), Path(name) / "features.h5", copies)
        units = found.units_total
        print(f"{len(found)} utterances, {units.sum() / UNIT_RATE / 3600:.2f} h")
        crop = CROP_SECONDS * UNIT_RATE
        dataset = StepDataset(found, np.flatnonzero(units >= crop), CROPS * crop, crop, seed=0)
        best = max(speed(dataset) for _ in range(3))
        print(f"{CROPS} crops of {CROP_SECONDS} s a batch, one worker: {best:.0f} x real time")
        schedule = Schedule(units, BUDGET_SECONDS * UNIT_RATE, None, seed=0)
        shares = [padding(units, schedule.epoch(epoch)) for epoch in range(3)]
        size = np.mean([len(batch) for batch in schedule.epoch(0)])
        print(
            f"whole utterances, {BUDGET_SECONDS} s a batch ({size:.1f} utterances): "
            f"{100 * max(shares):.1f} % padding"
        )
        seconds, share = waiting(found, dataset)
        print(f"a step of the miniature takes {seconds:.2f} s, {100 * share:.2f} % of it waiting")


if __name__ == "__main__":
    main()
