"""Which recordings do not belong into the corpus: one row an utterance, the worst first.

A network learns what is usual, and of a few hundred utterances of somebody else, with the wrong
text or with a hum it learns that these happen. So everything that can be measured of a clip alone
is compared with the rest of the corpus, in robust standard deviations
(`lbtts.evaluation.artefacts`), and with it:

- `speaker`: how near the clip is to the speaker's mean embedding. Of the corpus the nearer half
  makes the mean, so that strangers in up to half of it do not hide each other. Short clips are
  farther from any mean.
- `phone_errors`: how far the transcript is from what a phone recogniser hears that has learnt from
  the other clips and never from this one. The aligner's confidence asks whether the text can be
  found in the audio; this asks what is there without knowing the text. An unusual pronunciation is
  an error too.
- `dnsmos`, where it is asked for, since it takes longer than all the others: noise, echo and cuts.

What it cannot tell: faults that most of the corpus has. And every twentieth good clip is unusual in
something: a row that is high up is there to be listened to.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import soundfile
from joblib import delayed
from numpy.typing import NDArray

from lbtts.acoustics.measuring import f0 as pitch
from lbtts.acoustics.measuring.f0 import track
from lbtts.acoustics.measuring.speaker import embed
from lbtts.cache import method, remembered
from lbtts.evaluation import artefacts, recogniser
from lbtts.evaluation.artefacts import MEASURES, Measure, Usual
from lbtts.evaluation.confusions import error_counts
from lbtts.evaluation.naturalness import opinion
from lbtts.evaluation.recogniser import Recogniser
from lbtts.params import F0, Kaldi, Run, Voice
from lbtts.records import sha256
from lbtts.text.tokens import TokenPlan
from lbtts.workers import workers

AUDITED = MEASURES | {
    "speaker": Measure("cosine with the speaker's mean embedding", "low", 0.02),
    "phone_errors": Measure("phones of the transcript that are not heard, %", "high", 6.0),
    "dnsmos": Measure("naturalness by DNSMOS, overall", "low", 0.15),
}
VERSION = 1  # raise it when a measure, or the form of what is kept of a clip, changes
_LIBRARIES = (
    "numpy",
    "onnxruntime",
    "pyworld-prebuilt",
    "resemblyzer",
    "scipy",
    "soundfile",
    "soxr",
)
_FEWEST = 12  # utterances, of which a recogniser can learn anything from the half
_FOLDS = 2  # a half is enough to learn from: kaldi.training_utterances of it are used at the most
_CHUNK = 16  # utterances a task


@dataclass(frozen=True)
class Audit:
    """What was measured, by id.

    Attributes:
        measured: columns of `AUDITED`, each in its own unit; NaN where it cannot be told.
        distances: the same columns, how many standard deviations it is worse than usual.
    """

    measured: pd.DataFrame
    distances: pd.DataFrame

    def table(self) -> pd.DataFrame:
        """One row an utterance, worst first: `worst` (distance), `measure` (whose), then all."""
        worst = self.distances.max(axis=1)
        measure = self.distances.fillna(-np.inf).idxmax(axis=1)
        head = pd.DataFrame({"worst": worst, "measure": measure})
        return head.join(self.measured).sort_values("worst", ascending=False, kind="stable")

    def beyond(self, limits: Mapping[str, float]) -> dict[str, str]:
        """Why each utterance is beyond the limits, by id, worst first; nothing of those within.

        Args:
            limits: distance by measure; a measure without one takes nobody out.
        """
        found = {}
        for name in self.table().index:
            over = [m for m, limit in limits.items() if self.distances.loc[name, m] > limit]
            if over:
                found[str(name)] = "; ".join(self._reason(str(name), m, limits[m]) for m in over)
        return found

    def _reason(self, name: str, measure: str, limit: float) -> str:
        value, apart = self.measured.loc[name, measure], self.distances.loc[name, measure]
        return (
            f"{AUDITED[measure].meaning}: {value:.3g}, {apart:.1f} deviations from the corpus "
            f"(limit {limit:g})"
        )


def audit(
    plans: Sequence[TokenPlan],
    audio: Mapping[str, str],
    ends: Mapping[str, float],
    *,
    voice: Voice,
    f0: F0,
    run: Run,
    keep: Path,
    kaldi: Kaldi = recogniser.KALDI,
    dnsmos: bool = False,
) -> Audit:
    """The audit of a corpus of one speaker.

    What is measured and heard is kept as soon as it is; a later run does only what it lacks.

    Args:
        plans: what is said, of each utterance.
        audio: path of its clip, by id.
        ends: second at which its last word ends, from the alignment; of those without, the last
            tenth of a second is taken for what comes after.
        voice: the section `voice`, which names the speaker encoder.
        f0: how F0 is tracked, the quicker the better: only its spread is used.
        run: how the work is shared.
        keep: folder for what is kept; no other process uses it.
        kaldi: size and schedule of the recognisers.
        dnsmos: also predict opinions.

    Raises:
        InputError: what is kept cannot be read or written.
    """
    said = {plan.id: plan for plan in plans}
    sums = {name: sha256(audio[name]) for name in said}
    how = _method(voice, f0, dnsmos)

    def measure(names: Sequence[str]) -> Iterator[tuple[str, bytes]]:
        with workers(run) as parallel:
            yield from parallel(
                delayed(_measure)(said[name], audio[name], ends.get(name), voice, f0, dnsmos)
                for name in names
            )

    made = {p.id: _digest(how, sums[p.id], len(p.phones), ends.get(p.id)) for p in plans}
    values = remembered(keep / "measures", made, measure, "measure")
    rows = {name: json.loads(value.partition(b"\n")[0]) for name, value in values.items()}
    vectors = [np.frombuffer(value.partition(b"\n")[2], np.float32) for value in values.values()]
    for name, cosine in zip(rows, _cosines(np.stack(vectors)), strict=True):
        rows[name]["speaker"] = float(cosine)
    for name, share in _phone_errors(said, audio, sums, run, kaldi, keep).items():
        rows[name]["phone_errors"] = share
    measured = pd.DataFrame.from_dict(rows, orient="index", columns=list(AUDITED))
    measured = measured.astype(float).sort_index()
    usual = Usual(measured.to_dict("records"), AUDITED)
    distances = pd.DataFrame(
        [usual.distance(row) for row in measured.to_dict("records")], index=measured.index
    )
    return Audit(measured, distances)


def _phone_errors(
    plans: Mapping[str, TokenPlan],
    audio: Mapping[str, str],
    sums: Mapping[str, str],
    run: Run,
    kaldi: Kaldi,
    keep: Path,
) -> dict[str, float]:
    """Phone errors in percent, by id, by recognisers that have not learnt from the utterance.

    Nothing where there are too few utterances to learn from.
    """
    if len(plans) < _FEWEST:
        return {}
    names = list(plans)
    folds = [names[k::_FOLDS] for k in range(_FOLDS)]
    others = ([p for k, p in enumerate(plans.values()) if k % _FOLDS != j] for j in range(_FOLDS))
    with workers(run) as parallel:
        listeners = [
            recogniser.train(other, audio, kaldi, parallel, keep / "recognisers")
            for other in others
        ]

        def hear(names: Sequence[str]) -> Iterator[tuple[str, bytes]]:
            lacking = set(names)
            hearing = (
                delayed(_hear)(listener, some, audio)
                for fold, listener in zip(folds, listeners, strict=True)
                for some in _chunks([plans[name] for name in fold if name in lacking])
            )
            for shares in parallel(hearing):
                yield from ((name, repr(share).encode()) for name, share in shares.items())

        made: dict[str, bytes] = {}
        for fold, listener in zip(folds, listeners, strict=True):
            made |= {name: _digest(listener.made, sums[name], plans[name].labels) for name in fold}
        heard = remembered(keep / "heard", made, hear, "hear")
    return {name: float(value) for name, value in heard.items()}


def _method(voice: Voice, f0: F0, dnsmos: bool) -> str:
    """How a clip is measured: by which versions and libraries, and with which parameters."""
    parameters = (pitch.VERSION, voice.encoder, voice.wavlm, f0, dnsmos)
    return method("audit", VERSION, _LIBRARIES, repr(parameters))


def _digest(*parts: object) -> bytes:
    return hashlib.sha256(repr(parts).encode()).digest()


def _measure(
    plan: TokenPlan, path: str, end: float | None, voice: Voice, f0: F0, dnsmos: bool
) -> tuple[str, bytes]:
    """In a worker: the measures of a clip as JSON, and after a newline its embedding, float32."""
    audio, _ = soundfile.read(path, dtype="float32")
    melody = track(audio, f0)
    row = artefacts.measure(audio, melody, len(plan.phones), end)
    row["dnsmos"] = opinion(audio)["dnsmos"] if dnsmos else float("nan")
    return plan.id, json.dumps(row).encode() + b"\n" + embed(audio, voice).tobytes()


def _hear(
    listener: Recogniser, plans: Sequence[TokenPlan], audio: Mapping[str, str]
) -> dict[str, float]:
    """In a worker: phone errors in percent, by id."""
    said = [plan.labels for plan in plans]
    heard = [listener.hear(Path(audio[plan.id])) for plan in plans]
    errors, phones = error_counts(heard, said)
    return {plan.id: float(100 * e / n) for plan, e, n in zip(plans, errors, phones, strict=True)}


def _chunks(plans: Sequence[TokenPlan]) -> Iterator[Sequence[TokenPlan]]:
    for begin in range(0, len(plans), _CHUNK):
        yield plans[begin : begin + _CHUNK]


def _cosines(vectors: NDArray[np.float32]) -> NDArray[np.float64]:
    """Of each of [K, E] embeddings with the mean of the nearer half, its own part left out."""
    units = vectors / np.linalg.norm(vectors, axis=1, keepdims=True).astype(np.float64)
    near = units @ np.median(units, axis=0)
    core = near >= np.median(near)
    rest = units[core].sum(axis=0) - np.where(core[:, None], units, 0.0)
    return np.einsum("ke,ke->k", units, rest) / np.maximum(np.linalg.norm(rest, axis=1), 1e-9)
