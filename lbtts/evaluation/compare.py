"""Puts systems side by side, whoever made them: metrics with intervals, differences, and a page.

    python -m lbtts.evaluation.compare FOLDER... --recordings FOLDER --out OUT

Each FOLDER holds one system's audio files, named by utterance; the first is compared with the
others. Written are OUT/metrics.json, OUT/metrics.md, and the listening test of all of them
(OUT/test.html, OUT/key.json). What can be measured grows with what is given:

- the folders alone: naturalness, prosody;
- `--recordings`: distances of the artefacts, and what each metric should be;
- `--stranger FOLDER` too, recordings of another speaker: likeness;
- `--texts FILE`, rows `id|text` or token plans (data/alignment/spoken.jsonl): texts to read in
  the listening test, and with `--words MODEL` word errors (a folder or NAME@COMMIT; see
  `lbtts.evaluation.words`);
- `--project FOLDER`, in which `dvc repro` has run: its plans and training recordings, of which a
  phone recogniser learns, so phone errors;
- `--readings FOLDER` too, the training sentences as a voice like the systems' reads them, named
  `<id>` or `<id>-<voice>`: the recogniser learns from these as well, without which it understands
  nobody but the speaker.
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import soundfile

from lbtts import params, paths
from lbtts.acoustics.measuring.f0 import track
from lbtts.corpus.manifest import read_manifest
from lbtts.errors import InputError
from lbtts.evaluation import artefacts, confusions, recogniser, speech_metrics
from lbtts.evaluation.artefacts import Usual
from lbtts.evaluation.bootstrap import Difference, Estimate
from lbtts.evaluation.folders import in_common, names, read_folder, read_prompts
from lbtts.evaluation.listening.__main__ import make
from lbtts.evaluation.listening.design import REFERENCE
from lbtts.evaluation.measures import differences, estimates
from lbtts.evaluation.prompt import Prompt, Readings
from lbtts.evaluation.similarity import Likeness, embeddings
from lbtts.evaluation.speech_metrics import SPEECH_METRICS, Instruments
from lbtts.evaluation.words import CTC, Listener, Whisper
from lbtts.params import Params
from lbtts.records import write_json
from lbtts.text.inventory import Phones
from lbtts.text.tokens import TokenPlan, read_token_plans
from lbtts.workers import workers

_NEIGHBOURS = 60  # training recordings that tell what is usual, and make the speaker's mean


@dataclass(frozen=True)
class Comparison:
    """What was measured of some systems.

    Attributes:
        estimates: of each system, by metric.
        differences: of each system but the first: the first less it, by metric.
        confusions: of each system, more than the recordings have; empty without a recogniser.
    """

    estimates: dict[str, dict[str, Estimate]]
    differences: dict[str, dict[str, Difference]]
    confusions: dict[str, list[confusions.Confusion]]

    def flat(self) -> dict[str, Any]:
        """For a JSON file."""
        return {
            "metrics": {
                system: {k: v for name, e in found.items() for k, v in e.flat(name).items()}
                for system, found in self.estimates.items()
            },
            "differences": {
                system: {
                    name: {
                        **apart.estimate.flat("value"),
                        "p": float(f"{apart.p:.4g}"),
                        "more_than_chance": apart.more_than_chance,
                    }
                    for name, apart in found.items()
                }
                for system, found in self.differences.items()
            },
            "confusions": {
                system: [[c.said, c.heard, c.count, c.expected] for c in found]
                for system, found in self.confusions.items()
            },
        }

    def table(self) -> str:
        """Metrics as Markdown: value, interval; * where the first differs by more than chance."""
        systems = list(self.estimates)
        lines = [f"| | {' | '.join(systems)} |", f"|---|{'---:|' * len(systems)}"]
        for name, meaning in SPEECH_METRICS.items():
            cells = [self._cell(system, name) for system in systems]
            if any(cells):
                lines.append(f"| {meaning} | {' | '.join(cell or '–' for cell in cells)} |")
        return "\n".join(lines) + "\n"

    def _cell(self, system: str, name: str) -> str:
        estimate = self.estimates[system].get(name)
        if estimate is None:
            return ""
        apart = self.differences.get(system, {}).get(name)
        mark = " \\*" if apart is not None and apart.more_than_chance else ""
        return f"{estimate.value:.3g} ({estimate.low:.3g} to {estimate.high:.3g}){mark}"


def compare(
    prompts: Sequence[Prompt], systems: Mapping[str, Readings], instruments: Instruments
) -> Comparison:
    """All metrics of `systems`, on the prompts that all of them read.

    Args:
        prompts: what is said.
        systems: by name; the recordings, if there are any, as `REFERENCE`. The first is compared
            with each of the others.
        instruments: what measures.
    """
    measured: dict[str, tuple[pd.DataFrame, dict[str, Phones]]] = {
        name: speech_metrics.measure(prompts, readings, instruments)
        for name, readings in systems.items()
    }
    first, *others = systems
    said = {prompt.id: prompt.phones for prompt in prompts}
    usual = measured[REFERENCE][1] if REFERENCE in measured else {}
    mixed = {
        name: confusions.beyond(
            heard.values(),
            [said[k] for k in heard],
            usual.values(),
            [said[k] for k in usual],
        )
        for name, (_, heard) in measured.items()
        if name != REFERENCE and heard and usual
    }
    return Comparison(
        {name: estimates(rows) for name, (rows, _) in measured.items()},
        {other: differences(measured[first][0], measured[other][0]) for other in others},
        mixed,
    )


def usual(recordings: Readings, prompts: Sequence[Prompt], f0: params.F0) -> Usual:
    """What is usual in `recordings`; of those without a prompt, the rate is not told."""
    phones = {prompt.id: len(prompt.phones) for prompt in prompts}

    return Usual(
        artefacts.measure(audio, track(audio, f0), phones.get(name, 0))
        for name, audio in recordings.items()
    )


def _with_project(
    project: Path, p: Params, readings: Path | None, keep: Path
) -> tuple[list[Prompt], Readings, recogniser.Recogniser]:
    """The project's prompts, some of its training recordings, and a recogniser trained on them."""
    entries = read_manifest(project / paths.MANIFEST)
    plans = read_token_plans(project / paths.SPOKEN)
    training = [plan for plan in plans if entries[plan.id].split == "train"]
    audio = {plan.id: str(project / entries[plan.id].audio) for plan in training}
    step = -(-len(training) // _NEIGHBOURS)
    some = {
        plan.id: soundfile.read(audio[plan.id], dtype="float32")[0] for plan in training[::step]
    }
    by_id = {plan.id: plan for plan in training}
    read: list[tuple[TokenPlan, Path]] = []
    for path in sorted(readings.iterdir()) if readings else ():
        names_of = (path.stem, path.stem.rpartition("-")[0])
        read += [(by_id[name], path) for name in names_of if name in by_id][:1]
    with workers(p.run) as parallel:
        listener = recogniser.train_on_readings(training, audio, read, parallel, keep)
    return read_prompts(project / paths.SPOKEN), some, listener


def main() -> None:
    """Runs the command."""
    parser = argparse.ArgumentParser(
        prog="python -m lbtts.evaluation.compare",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--recordings", type=Path)
    parser.add_argument("--stranger", type=Path)
    parser.add_argument("--texts", type=Path)
    parser.add_argument("--project", type=Path)
    parser.add_argument("--readings", type=Path)
    parser.add_argument("--words", metavar="MODEL", help="a Whisper in CTranslate2's format")
    parser.add_argument("--letters", metavar="MODEL", help="a CTC recogniser, instead of --words")
    parser.add_argument("--params", type=Path, default=Path("params.yaml"))
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    p = params.load(given.project / "params.yaml" if given.project else given.params)
    systems = {name: read_folder(folder) for name, folder in names(given.folders).items()}
    if given.recordings:
        systems[REFERENCE] = read_folder(given.recordings)
    common = in_common(systems)

    prompts = [Prompt(name, "") for name in common]
    known = systems.get(REFERENCE, {})
    phones = None
    if given.project:
        prompts, known, phones = _with_project(
            given.project, p, given.readings, given.out / "recogniser"
        )
    if given.texts:
        prompts = read_prompts(given.texts)
    listener: Listener | None = None
    if given.words:
        listener = Whisper(given.words, p.language)
    elif given.letters:
        listener = CTC(given.letters)
    likeness = None
    if given.stranger and known:
        stranger = {given.stranger.name: embeddings(read_folder(given.stranger), p.voice)}
        own = {**embeddings(known, p.voice), **embeddings(systems.get(REFERENCE, {}), p.voice)}
        likeness = Likeness(own, stranger)
    f0 = p.features.f0
    instruments = Instruments(
        f0, p.voice, phones, listener, likeness, usual(known, prompts, f0) if known else None
    )
    asked = [prompt for prompt in prompts if prompt.id in common]
    found = compare(asked, systems, instruments)
    write_json(given.out / "metrics.json", found.flat())
    (given.out / "metrics.md").write_text(found.table(), encoding="utf-8")
    texts = {prompt.id: prompt.text for prompt in prompts}
    make(given.out, systems, texts, utterances=12, seed=given.seed)
    print(f"{len(asked)} utterances\n\n{found.table()}")
    print("* the first differs from it by more than chance (p < 0.05, signs of the differences)")


if __name__ == "__main__":
    try:
        main()
    except InputError as error:
        sys.exit(str(error))
