"""Measures mel, F0 and energy on the grid and puts them with audio and durations into one file."""

import csv
from pathlib import Path

from joblib import Parallel, delayed
from tqdm import tqdm

from lbtts import params
from lbtts.acoustics.extraction import Extracted, Timing, extract, read_timings
from lbtts.acoustics.f0 import Histogram
from lbtts.acoustics.features import FeatureWriter
from lbtts.corpus import read_manifest
from lbtts.errors import InputError, Reject, check_rejects
from lbtts.grid import UNIT_RATE
from lbtts.params import Features
from lbtts.records import write_json
from lbtts.text.tokens import read_plans
from stages import run

DURATIONS = Path("data/durations.csv")
OUT = Path("data/features.h5")
REJECTS = Path("data/features_rejects.csv")


def measure(path: str, tokens: list[int], timing: Timing, choice: Features) -> Extracted | Reject:
    """The features of one clip, or why there are none."""
    try:
        return extract(path, tokens, timing, choice)
    except Reject as reason:
        return reason


def main() -> None:
    """Extracts in parallel, writes in the order of ids; holds few utterances at a time."""
    p = params.load()
    tokens = {plan.id: plan.input_ids for plan in read_plans("data/alignment/utterances.jsonl")}
    manifest = read_manifest().set_index("id")
    timings = read_timings(DURATIONS)
    for timing in timings:
        if timing.id not in tokens or timing.id not in manifest.index:
            raise InputError(f"{DURATIONS}: {timing.id} is not in the corpus; run `dvc repro`")

    work = Parallel(n_jobs=p.run.workers, return_as="generator")(
        delayed(measure)(manifest.at[t.id, "audio"], tokens[t.id], t, p.features) for t in timings
    )
    rejects: list[tuple[str, str]] = []
    histogram = Histogram()
    with (
        FeatureWriter(OUT, p.features.model_dump()) as writer,
        tqdm(total=len(timings), unit="utt", desc="features") as bar,
    ):
        done = 0.0
        for timing, result in zip(timings, work, strict=True):
            name = timing.id
            if isinstance(result, Reject):
                rejects.append((name, str(result)))
            else:
                split = manifest.at[name, "split"]
                writer.add(name, split, tokens[name], timing.units, result)
                histogram.add(result.f0)
            done += sum(timing.units) / UNIT_RATE
            bar.set_postfix_str(f"{done / bar.format_dict['elapsed']:.0f} x real time", False)
            bar.update()

    with REJECTS.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([("id", "reason"), *rejects])
    counts = {"utterances": len(timings) - len(rejects), "rejected": len(rejects)}
    write_json("metrics/features.json", counts | histogram.figures())
    check_rejects("features", len(rejects), len(timings), p.run.max_rejected, str(REJECTS))


if __name__ == "__main__":
    run(main)
