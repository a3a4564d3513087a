"""Measures mel, F0 and energy on the grid and puts them with audio and durations into one file."""

import csv
from collections.abc import Sequence
from pathlib import Path

from tqdm import tqdm

from lbtts import params
from lbtts.acoustics.measuring.cache import MeasureCache
from lbtts.acoustics.measuring.extraction import Clip, Extracted, read_timings
from lbtts.acoustics.measuring.pitch import judge
from lbtts.acoustics.measuring.survey import Survey, survey
from lbtts.acoustics.store.features import FeatureWriter
from lbtts.corpus.manifest import read_manifest
from lbtts.errors import InputError, Reject, check_rejects
from lbtts.params import Features
from lbtts.records import write_json
from lbtts.scratch import scratch
from lbtts.text.tokens import each_token_plan
from lbtts.workers import workers
from stages import run

DURATIONS = Path("data/durations.csv")
OUT = Path("data/features.h5")
REPORT = Path("data/features_report.csv")
COLUMNS = "id", "status", "reason", "suspicion", "voiced", "outside", "jumps"


def read_clips() -> list[Clip]:
    """The clips with durations, sorted by id."""
    manifest = read_manifest().set_index("id")
    tokens = {
        plan.id: plan.input_ids for plan in each_token_plan("data/alignment/utterances.jsonl")
    }
    clips = []
    for timing in read_timings(DURATIONS):
        if timing.id not in tokens or timing.id not in manifest.index:
            raise InputError(f"{DURATIONS}: {timing.id} is not in the corpus; run `dvc repro`")
        row = manifest.loc[timing.id]
        clips.append(Clip(row["audio"], row["split"], tokens[timing.id], timing))
    return clips


def write(
    clips: Sequence[Clip], found: Survey, cache: MeasureCache, choice: Features
) -> list[tuple]:
    """Writes the feature file, in the order of ids, and returns the rows of the report."""
    span = found.pitch.span()
    rows: list[tuple] = []
    with FeatureWriter(OUT, choice.f0) as writer:
        for clip in tqdm(clips, unit="utt", desc=OUT.name):
            try:
                if clip.id in found.rejects:
                    raise Reject(found.rejects[clip.id])
                audio, measured = clip.audio(), cache.get(found.digests[clip.id])
                if measured.f0 is None or measured.spectral is None:
                    raise InputError(
                        f"{clip.path}: its measures are gone again; see that the disk is sound "
                        "and run again"
                    )
                verdict = judge(measured.f0, span)
                suspicion = verdict.suspicion(choice.check)
                if suspicion and choice.check.suspects == "reject":
                    raise Reject(suspicion)
            except Reject as reason:
                rows.append((clip.id, "rejected", reason, "", "", "", ""))
                continue
            spectral = measured.spectral
            arrays = Extracted(spectral.mel, measured.f0, spectral.energy, audio)
            writer.add(clip.id, clip.split, clip.tokens, clip.timing.units, arrays)
            figures = (f"{n:.4f}" for n in (verdict.voiced, verdict.outside, verdict.jumps))
            rows.append((clip.id, "ok", "", suspicion, *figures))
    return rows


def main() -> None:
    """Measures what no earlier run has measured, then writes it all in the order of ids."""
    p = params.load()
    clips = read_clips()
    with scratch("features") as folder, MeasureCache(folder, p.features.f0) as cache:
        with workers(p.run) as parallel:
            found = survey(clips, cache, p.features.f0, parallel)
        tqdm.write(f"measured {found.computed} of {len(clips)}; the others were known")
        rows = write(clips, found, cache, p.features)

    with REPORT.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([COLUMNS, *rows])
    rejected = sum(row[1] == "rejected" for row in rows)
    counts = {
        "utterances": len(clips) - rejected,
        "rejected": rejected,
        "suspect": sum(bool(row[3]) for row in rows),
    }
    write_json("metrics/features.json", counts | found.pitch.figures())
    check_rejects("features", rejected, len(clips), p.run.max_rejected, str(REPORT))


if __name__ == "__main__":
    run(main, resumes=True)
