"""Chooses a checkpoint by its speech: first the gate, then naturalness and likeness.

The checkpoint with the least validation loss is often not the one that listeners choose: on
Kokoro's weights every regression loss falls while the voice becomes duller. So a checkpoint first
has to be understood and free of artefacts; of those that are, the one with the highest sum of
naturalness and likeness is best.
"""

from collections.abc import Sequence

import numpy as np

from lbtts import paths
from lbtts.corpus.manifest import read_manifest
from lbtts.evaluation import artefacts, speech_metrics
from lbtts.evaluation import instruments as setting
from lbtts.evaluation.confusions import error_rate
from lbtts.evaluation.measures import estimates
from lbtts.evaluation.prompt import Prompt
from lbtts.evaluation.speech_metrics import DISTANCE, Instruments
from lbtts.params import Gate, Params
from lbtts.scratch import scratch_folder
from lbtts.text.tokens import read_token_plans
from lbtts.training.choice import Spoken
from lbtts.training.recorder import Metrics

_MEASURED = ("phone_errors", "dnsmos_p808", "similarity")
_POINTS = 4.0  # from the worst opinion to the best


def best_speech(p: Params) -> "BestSpeech":
    """The rule for the corpus of this project; `training.choice.rule` calls it by name.

    Raises:
        InputError: the stage `reference` has not run.
    """
    plans, entries = read_token_plans(paths.SPOKEN), read_manifest(paths.MANIFEST)
    without_words = p.evaluate.model_copy(update={"words": None})  # it would take too long
    quick = p.model_copy(update={"evaluate": without_words})
    keep = scratch_folder("recogniser")
    chosen = setting.instruments(quick, plans, entries, paths.REFERENCE, keep)
    held_out = [plan.id for plan in plans if entries[plan.id].split == "test"]
    return BestSpeech(chosen, setting.prompts(plans, held_out), p.evaluate.gate)


class BestSpeech:
    """A rule for `training.choice`: gate, then naturalness and likeness; see `Choice`."""

    measures_speech = True

    def __init__(self, instruments: Instruments, prompts: Sequence[Prompt], gate: Gate) -> None:
        """Takes what measures, what is said, by utterance, and the limits.

        The limit on phone errors is relative to those of the recordings, which this measures once.
        """
        self._instruments = instruments
        self._prompts = {prompt.id: prompt for prompt in prompts}
        self._gate = gate
        self._usual: dict[str, float] = {}  # phone errors of each recording, %

    def measure(self, spoken: Spoken) -> Metrics:
        """Phone errors beyond the recordings', %, DNSMOS P.808, likeness, worst artefact."""
        said = [self._prompts[utterance.id] for utterance, _ in spoken]
        readings = {utterance.id: speech.audio for utterance, speech in spoken}
        recordings = {utterance.id: utterance.audio for utterance, _ in spoken}
        ours, _ = speech_metrics.measure(said, readings, self._instruments)
        found = estimates(ours)
        metrics = {name: found[name].value for name in _MEASURED if name in found}
        if "phone_errors" in metrics:
            metrics["phone_errors"] -= self._phone_errors(said, recordings)
        distances = [
            found[f"{DISTANCE}{name}"].value
            for name in artefacts.MEASURES
            if f"{DISTANCE}{name}" in found
        ]
        return metrics | ({"artefacts": max(distances)} if distances else {})

    def rank(self, metrics: Metrics) -> list[float]:
        """Whether the gate is passed; then naturalness plus likeness, or else how near it was."""
        excess = max(
            (
                (metrics[name] - limit) / max(limit, 1)
                for name, limit in self._limits()
                if name in metrics
            ),
            default=-1.0,
        )
        naturalness = (metrics.get("dnsmos_p808", 1.0) - 1) / _POINTS
        return [
            float(excess <= 0),
            min(-excess, 0.0),
            naturalness + metrics.get("similarity", 0.0),
        ]

    def _limits(self) -> list[tuple[str, float]]:
        limits = {"phone_errors": self._gate.phone_errors, "artefacts": self._gate.artefacts}
        return [(name, limit) for name, limit in limits.items() if limit is not None]

    def _phone_errors(self, said: Sequence[Prompt], recordings: dict[str, np.ndarray]) -> float:
        """Of the recordings of these utterances, %."""
        assert self._instruments.recogniser is not None
        for prompt in said:
            if prompt.id not in self._usual:
                heard = self._instruments.recogniser.hear(recordings[prompt.id])
                self._usual[prompt.id] = error_rate([heard], [prompt.phones])
        return float(np.mean([self._usual[prompt.id] for prompt in said]))
