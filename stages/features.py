"""Measures mel, F0 and energy on the grid and puts them with audio and durations into one file."""

import csv
from pathlib import Path

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from tqdm import tqdm

from lbtts import params
from lbtts.acoustics.extraction import Extracted, extract, parse_cuts
from lbtts.acoustics.features import FeatureWriter
from lbtts.corpus import read_manifest
from lbtts.errors import Reject, check_rejects
from lbtts.grid import FRAME_RATE
from lbtts.records import write_json
from lbtts.text.tokens import read_plans
from stages import run

OUT = Path("data/features.h5")
REJECTS = Path("data/features_rejects.csv")


def main() -> None:
    """Extracts in parallel, writes in the order of ids."""
    p = params.load()
    choice = p.features
    plans = {plan.id: plan for plan in read_plans("data/g2p/utterances.jsonl")}
    manifest = read_manifest().set_index("id")
    durations = pd.read_csv("data/durations.csv", dtype=str, keep_default_na=False)
    rows = durations[durations["status"] == "ok"].sort_values("id").to_dict("records")
    units = {row["id"]: [int(n) for n in row["units"].split()] for row in rows}

    def measure(row: dict[str, str]) -> Extracted | Reject:
        name = row["id"]
        try:
            return extract(manifest.at[name, "audio"], units[name], parse_cuts(row["cuts"]), choice)
        except Reject as reason:
            return reason

    work = Parallel(n_jobs=p.run.workers, return_as="generator")(delayed(measure)(r) for r in rows)
    rejects: list[tuple[str, str]] = []
    f0: list[np.ndarray] = []
    with (
        FeatureWriter(OUT, choice.model_dump()) as writer,
        tqdm(total=len(rows), unit="utt", desc="features") as bar,
    ):
        for row, result in zip(rows, work, strict=True):
            name = row["id"]
            if isinstance(result, Reject):
                rejects.append((name, str(result)))
            else:
                split = manifest.at[name, "split"]
                writer.add(name, split, plans[name].input_ids, units[name], result)
                f0.append(result.f0)
            bar.update()

    with REJECTS.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([("id", "reason"), *rejects])
    frames = np.concatenate([*f0, np.zeros(0, np.float32)])
    voiced = frames[frames > 0]
    write_json(
        "metrics/features.json",
        {
            "utterances": len(f0),
            "rejected": len(rejects),
            "hours": round(len(frames) / FRAME_RATE / 3600, 4),
            "f0_median_hz": round(float(np.median(voiced)), 2) if len(voiced) else None,
            "voiced_share": round(len(voiced) / max(1, len(frames)), 4),
        },
    )
    check_rejects("features", len(rejects), len(rows), p.run.max_rejected, str(REJECTS))


if __name__ == "__main__":
    run(main)
