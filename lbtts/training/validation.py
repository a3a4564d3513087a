"""How the averaged weights do on held-out speech, and when they were best."""

from pathlib import Path

from lbtts.acoustics.store.batching import collate
from lbtts.acoustics.store.features import FeatureStore
from lbtts.grid import UNIT_RATE
from lbtts.models.kokoro.network.trainable import Kokoro
from lbtts.models.kokoro.network.objective import Objective
from lbtts.models.randomness import utterance_seeds
from lbtts.params import Train
from lbtts.training import samples, schedules
from lbtts.training.recorder import Figures, Recorder
from lbtts.training.state import Best, State


def validate(network: Kokoro, objective: Objective, store: FeatureStore, params: Train) -> Figures:
    """Mean teacher-forced losses over some held-out utterances, one fixed crop of each."""
    device = next(network.parameters()).device
    crop_units = round(params.crop_seconds * UNIT_RATE)
    sums: dict[str, float] = {}
    chosen = store.held_out("choice", params.validation_utterances)
    network.eval()
    for index in chosen.tolist():
        batch = collate(store, [index], crop_units, (params.seed,)).to(device)
        terms = objective.validate_on(network, batch, utterance_seeds(params.seed, indices=[index]))
        for name, term in terms.items():
            sums[name] = sums.get(name, 0.0) + term.item() / len(chosen)
    return sums


def record(
    state: State, store: FeatureStore, params: Train, folder: Path, recorder: Recorder
) -> float:
    """The STFT loss of the averaged weights, which are validated and speak a held-out sentence."""
    network = state.averaged()
    figures = validate(network, state.objective, store, params)
    figures["total"] = schedules.total(figures, state.step, params.losses)
    recorder.log(state.step, {f"validation/{name}": value for name, value in figures.items()})
    if recorder.writes:
        samples.save(network, store, params.seed, folder, state.step)
    return figures["stft"]


def compare(state: State, stft: float) -> None:
    """Keeps the averaged weights if they are the best so far."""
    best = state.best
    if stft < best.stft:
        weights = {k: v.detach().cpu().clone() for k, v in state.averaged().state_dict().items()}
        state.best = Best(state.step, stft, 0, weights)
    else:
        best.waited += 1
