"""What a full-size training step costs beside a plain StyleTTS2-style step on the same utterances.

    python -m benchmarks.train_step FOLDER [STEPS [UTTERANCES]]

FOLDER holds audio that soundfile reads. Of its first STEPS (4) times UTTERANCES (4) clips
every side takes STEPS optimizer steps, with random weights of Kokoro's full size, in a
process of its own. The first step is not timed. `benchmarks/plain_step.py` says what plain is,
`benchmarks/step_profile.py` how the time of our step is divided.

Throughput: seconds of waveform that reached the loss per second, reading included; of processor
time of one thread on a CPU, of wall-clock time on a GPU; higher is better. Peak memory: of the
process on a CPU (weights, gradients, moments, the average and libraries included), of the allocator
on a GPU. Waiting: for the loader, as a share of the time.
"""

import json
import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch.utils.data import DataLoader

from benchmarks import clips, plain_step, step_profile
from benchmarks.step_profile import DEVICE, HAS_BF16, now
from lbtts import params
from lbtts.acoustics.measuring import mel
from lbtts.acoustics.store.batching import Batch
from lbtts.acoustics.store.features import FeatureStore
from lbtts.acoustics.store.layout import FULL_SCALE, Arrays
from lbtts.acoustics.store.writer import FeatureWriter
from lbtts.grid import MAX_TOKENS, SAMPLE_RATE
from lbtts.models.kokoro.recipe import KokoroRecipe
from lbtts.models.kokoro.voices.table import InitialVoice, initial
from lbtts.models.kokoro.weights import checkpoint, facts
from lbtts.params import F0, KokoroTraining, Train
from lbtts.training import step, trainer

CROP_SECONDS = 2.5  # StyleTTS2's 200 frames
CHOICE = F0(method="dio", floor=60, ceiling=500, silence_db=30)
SIDES = {
    "plain, second stage": "StyleTTS2's second stage",
    "plain, fine-tuning": "the same without its second pass through the decoder",
    "ours": "the trainer's step, regression losses alone",
    "ours, discriminators": "the same with discriminators that hear 0.5 s of each crop",
    "ours, discriminators, whole": "the same with discriminators that hear whole crops",
    "ours, bfloat16": "the same with train.precision bf16",
    "ours, recomputed": "the same with train.recompute",
}
Figures = dict[str, float]


def write_store(folder: Path, target: Path, count: int) -> None:
    """The first `count` clips of the folder, whole, with tokens of 75 ms."""
    with FeatureWriter(target, CHOICE) as writer:
        for number, clip in enumerate(clips.load(folder, count)):
            log_mel = mel.log_mel(clip / FULL_SCALE)
            pitch = plain_step.f0(torch.from_numpy(clip / FULL_SCALE), len(log_mel))
            units = clips.units(clip)
            tokens = [0, *(50 + i % 100 for i in range(len(units) - 2)), 0]
            assert len(tokens) <= MAX_TOKENS
            row = Arrays(log_mel.astype("f2"), pitch.numpy(), mel.energy(log_mel), clip)
            writer.add(f"{number:05d}", "train", tokens, units, row)


def with_discriminators(kokoro: KokoroTraining, seconds: float) -> KokoroTraining:
    """The section with adversarial losses, whose discriminators hear so much of each crop."""
    counts = kokoro.losses.mel.model_copy(update={"weight": 1})
    losses = {"adversarial": counts, "feature_matching": counts}
    heard = {"crop_seconds": seconds}
    return kokoro.model_copy(
        update={
            "losses": kokoro.losses.model_copy(update=losses),
            "discriminators": kokoro.discriminators.model_copy(update=heard),
        }
    )


def voice(store: FeatureStore) -> InitialVoice:
    lengths = store.tokens_total - 2
    return initial(store.ids, np.ones((len(lengths), 1), np.float32), lengths, seed=0)


def plain(store: FeatureStore, steps: int, size: int, second: bool) -> Iterator[float]:
    """After each step, the seconds trained so far."""
    model = checkpoint.random(facts.config(), 0)
    side = plain_step.PlainTrainer(model, voice(store), DEVICE, second)
    order = np.random.default_rng(0).permutation(len(store))
    for first in range(0, steps * size, size):
        side.step(plain_step.read(store, order[first : first + size]))
        yield side.seconds


class Ours:
    """The trainer's step over batches as it loads them."""

    def __init__(self, store: FeatureStore, size: int, kind: str) -> None:
        """`kind`: what `SIDES` names after "ours, "."""
        demo = params.load("profiles/demo.yaml")
        kokoro = demo.kokoro
        if kind.startswith("discriminators"):
            kokoro = with_discriminators(kokoro, CROP_SECONDS if kind.endswith("whole") else 0.5)
        self.train: Train = demo.train.model_copy(
            update={
                "batch_seconds": size * CROP_SECONDS,
                "crop_seconds": CROP_SECONDS,
                "precision": "bf16" if kind == "bfloat16" else "fp32",
                "recompute": kind == "recomputed",
            }
        )
        self.store = store
        model = checkpoint.random(facts.config(), 0)
        self.accelerator = trainer.accelerate(self.train)
        device, autocast = self.accelerator.device, self.accelerator.autocast
        start = model, {}, voice(store), store
        recipe = KokoroRecipe(*start, self.train, kokoro, device, autocast)
        self.state = trainer.setup(recipe, self.train, device)
        self.waited = 0.0

    def batches(self, steps: int) -> Iterator[Batch]:
        """The first batches; a worker reads them only where the step does not need its core."""
        loader = DataLoader(
            trainer.steps(self.store, self.train),
            sampler=range(steps),
            batch_size=None,
            num_workers=int(DEVICE.type == "cuda"),
        )
        batches = iter(loader)
        for _ in range(steps):
            asked = now()
            batch = next(batches)
            self.waited += now() - asked
            yield batch

    def step(self, batch: Batch) -> None:
        step.train_step(self.state, batch, self.train, self.accelerator)

    def run(self, steps: int) -> Iterator[float]:
        """After each step, the seconds trained so far."""
        seconds = 0.0
        for batch in self.batches(steps):
            self.step(batch)
            seconds += batch.audio.numel() / SAMPLE_RATE
            yield seconds


def measure(side: str, store: FeatureStore, steps: int, size: int) -> Figures:
    """One side's figures, in a process of its own."""
    ours = None
    if side.startswith("plain"):
        progress = plain(store, steps, size, second=side.endswith("second stage"))
    else:
        ours = Ours(store, size, side.removeprefix("ours, "))
        progress = ours.run(steps)
    before = next(progress)
    if ours:
        ours.waited = 0.0
    begin = now()
    after = list(progress)[-1]
    seconds = now() - begin
    if DEVICE.type == "cuda":
        peak = torch.cuda.max_memory_allocated()
    else:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return {
        "trained": after - before,
        "seconds": seconds,
        "peak": peak / 2**30,
        "waited": ours.waited / seconds if ours else 0.0,
    }


def profile(store: FeatureStore, size: int) -> Figures:
    """Seconds of one step by component, the arithmetic in it, and this machine's rates."""
    ours = Ours(store, size, "")
    first, second, third = ours.batches(3)
    ours.step(first)
    figures = step_profile.arithmetic(lambda: ours.step(second))
    figures |= step_profile.times(ours.state, lambda: ours.step(third))
    return figures | step_profile.rates()


def child(*arguments: str) -> dict[str, float]:
    """What this program prints in a process of its own."""
    command = [sys.executable, "-W", "ignore", "-m", "benchmarks.train_step", *arguments]
    return json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)


def inside(what: str, path: str, steps: str, size: str) -> None:
    """The work of a child."""
    store = FeatureStore(path)
    if what == "profile":
        figures = profile(store, int(size))
    else:
        figures = measure(what, store, int(steps), int(size))
    print(json.dumps(figures))


def main() -> None:
    torch.set_num_threads(1)
    if sys.argv[1] == "--inside":
        return inside(*sys.argv[2:])
    steps = int(sys.argv[2]) if len(sys.argv) > 2 else 4
    size = int(sys.argv[3]) if len(sys.argv) > 3 else 4
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "features.h5"
        write_store(Path(sys.argv[1]), path, steps * size)
        print(f"{DEVICE}; {steps} steps of {size} utterances, crops of {CROP_SECONDS} s")
        arguments = str(path), str(steps), str(size)
        found = {}
        sides = SIDES.copy()
        if not HAS_BF16:
            del sides["ours, bfloat16"]
            print("not measured: bf16, for which this processor has no instructions")
        for side, meaning in sides.items():
            figures = found[side] = child("--inside", side, *arguments)
            speed = figures["trained"] / figures["seconds"]
            print(
                f"{side:20} {speed:6.3f} s trained a second, peak {figures['peak']:5.2f} GiB, "
                f"{100 * figures['waited']:4.1f} % waiting   ({meaning})",
                flush=True,
            )
        ours = found["ours"]
        for side, other in found.items():
            if other is ours:
                continue
            ratio = ours["trained"] / ours["seconds"] / (other["trained"] / other["seconds"])
            memory = ours["peak"] / other["peak"]
            print(f"ours over {side}: {ratio:.2f} x as fast, {memory:.2f} x the memory")
        figures = child("--inside", "profile", *arguments)
        step_profile.report(figures)
        for side in sides:
            if side.startswith("ours"):
                pace = (steps - 1) / found[side]["seconds"]
                kind = "bfloat16" if side.endswith("bfloat16") else "float32"
                share = step_profile.share(figures, pace, kind)
                print(f"{side}: {100 * share:.0f} % of the rate of a large {kind} product")


if __name__ == "__main__":
    main()
