"""Is training ready for this GPU? One command that measures and checks what only a GPU can show.

    python -m benchmarks.gpu FOLDER [--size 16] [--steps 6]

FOLDER holds audio that soundfile reads. With random weights of Kokoro's full size and SIZE
utterances a step it prints: throughput in float32 and bfloat16, with and without discriminators,
each as a share of the rate of a large matrix product, and the share of time in which the step waits
for the loader; memory beside what `stages.train --estimate` predicts; whether a resumed run ends
with the same bits; whether the record of a failed step finds its place again; whether a step that
ran out of memory is repeated in smaller micro-batches with the same gradients; and what
torch.compile brings. What this machine cannot show is printed with the reason. Ends with status 1
where a check failed.
"""

import argparse
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import torch

from benchmarks import step_profile, train_step
from benchmarks.step_profile import DEVICE, now
from lbtts.acoustics.store.features import FeatureStore
from lbtts.errors import InputError
from lbtts.training import cost, nonfinite, resume

SIDES = ("ours", "ours, bfloat16", "ours, discriminators")
GIB = 2**30


@dataclass(frozen=True)
class Line:
    """What one check found; `passed` is None where nothing could fail or be checked."""

    name: str
    found: str
    passed: bool | None = None

    def __str__(self) -> str:
        mark = {None: "    ", True: "ok  ", False: "FAIL"}[self.passed]
        return f"{mark} {self.name}: {self.found}"


def throughput(path: Path, steps: int, size: int) -> Iterator[Line]:
    arguments = str(path), str(steps), str(size)
    profile = train_step.child("--inside", "profile", *arguments)
    for side in SIDES:
        figures = train_step.child("--inside", side, *arguments)
        kind = "bfloat16" if side.endswith("bfloat16") else "float32"
        share = step_profile.share(profile, (steps - 1) / figures["seconds"], kind)
        of_rate = "" if "discriminators" in side else f", {share:.0%} of a large {kind} product"
        yield Line(
            side,
            f"{figures['trained'] / figures['seconds']:.2f} s of speech a second{of_rate}, "
            f"{figures['waited']:.1%} waiting, {figures['peak']:.2f} GiB",
        )


def memory(store: FeatureStore, size: int) -> Line:
    """Peak of the largest steps beside the planner's promise."""
    ours = train_step.Ours(store, size, "")
    with tempfile.TemporaryDirectory() as folder:
        try:
            promised = cost.estimate(
                ours.state, store, ours.train, ours.accelerator, Path(folder), processes=1
            ).memory
        except InputError as error:
            return Line("memory", f"not checked: {error}")
    if DEVICE.type != "cuda":
        return Line("memory", f"{promised / GIB:.2f} GiB promised; its peak needs a GPU to measure")
    ours = train_step.Ours(store, size, "")
    torch.cuda.reset_peak_memory_stats()
    list(ours.run(3))
    peak = torch.cuda.max_memory_allocated()
    found = f"{promised / GIB:.2f} GiB promised, {peak / GIB:.2f} GiB at most"
    return Line("memory", found, peak <= 1.05 * promised)


def resumed(store: FeatureStore, size: int) -> Line:
    """Four steps at once, and two and two with a saved state between them."""
    kind = "discriminators"
    whole, first = (train_step.Ours(store, size, kind) for _ in range(2))
    batches = list(whole.batches(4))
    for batch in batches:
        whole.step(batch)
    for batch in batches[:2]:
        first.step(batch)
    with tempfile.TemporaryDirectory() as folder:
        resume.save(first.state.state_dict(), Path(folder) / "state.pt")
        second = train_step.Ours(store, size, kind)
        second.state.load_state_dict(resume.load(Path(folder) / "state.pt") or {})
    for batch in batches[2:]:
        second.step(batch)
    apart = furthest(whole, second)
    found = "the same bits" if apart == 0 else f"weights differ by up to {apart:.2g}"
    return Line("a resumed run", found, apart < 1e-3)


def recorded(store: FeatureStore, size: int) -> Line:
    """A NaN in the F0 of one utterance is traced to it, twice to the same module."""
    ours = train_step.Ours(store, size, "")
    (batch,) = ours.batches(1)
    batch.f0[1] = float("nan")
    found = [nonfinite.find(ours.state, batch.to(DEVICE), ours.train) for _ in range(2)]
    right = found[0].utterance == batch.ids[1] and found[0].place == found[1].place
    return Line("the record of a failed step", str(found[0]), right)


def backed_off(store: FeatureStore, size: int) -> Line:
    """A step in half of the memory that it needs."""
    if DEVICE.type != "cuda":
        return Line("out of memory", "not checked: a CPU's memory cannot be limited for one step")
    whole, little = (train_step.Ours(store, size, "") for _ in range(2))
    first, second = whole.batches(2)
    whole.step(first)
    torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.memory_allocated()
    whole.step(second)
    needed = torch.cuda.max_memory_allocated() - before
    del whole.state
    little.step(first)
    torch.cuda.empty_cache()
    total = torch.cuda.get_device_properties(DEVICE).total_memory
    allowed = torch.cuda.memory_allocated() + 0.5 * needed
    torch.cuda.set_per_process_memory_fraction(min(1.0, allowed / total))
    try:
        little.step(second)
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)
    parts = little.state.micro_batches
    return Line("out of memory", f"a step in {parts} micro-batches", parts > 1)


def compiled(store: FeatureStore, size: int) -> Line:
    """Seconds of a step with a compiled decoder, beside the same without."""
    ours = train_step.Ours(store, size, "bfloat16")
    batches = list(ours.batches(6))
    plain = fastest(ours, batches)
    decoder = ours.state.recipe.network.model.decoder
    decoder.forward = torch.compile(decoder.forward, dynamic=False)
    try:
        begin = now()
        ours.step(batches[0])
        first = now() - begin
        faster = plain / fastest(ours, batches)
    except Exception as error:  # whatever the compiler cannot do is the finding
        return Line("torch.compile", f"fails: {type(error).__name__}: {str(error).splitlines()[0]}")
    return Line("torch.compile", f"{faster:.2f} times as fast after {first:.0f} s of compiling")


def fastest(ours: train_step.Ours, batches: list) -> float:
    seconds = []
    for batch in batches[1:]:
        begin = now()
        ours.step(batch)
        seconds.append(now() - begin)
    return min(seconds)


def furthest(one: train_step.Ours, other: train_step.Ours) -> float:
    pairs = zip(
        one.state.recipe.network.parameters(),
        other.state.recipe.network.parameters(),
        strict=True,
    )
    return max((a - b).abs().max().item() for a, b in pairs)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--size", type=int, default=16)
    parser.add_argument("--steps", type=int, default=6)
    given = parser.parse_args()
    name = torch.cuda.get_device_name() if DEVICE.type == "cuda" else "no GPU: this is a CPU"
    print(f"{name}; torch {torch.__version__}; {given.size} utterances a step")
    failed = False
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "features.h5"
        train_step.write_store(given.folder, path, given.steps * given.size)
        for line in throughput(path, given.steps, given.size):
            print(line, flush=True)
        store = FeatureStore(path)
        checks: tuple[Callable[[FeatureStore, int], Line], ...] = (
            memory, resumed, recorded, backed_off, compiled,
        )  # fmt: skip
        for check in checks:
            line = check(store, given.size)
            failed |= line.passed is False
            print(line, flush=True)
    sys.exit(failed)


if __name__ == "__main__":
    main()
