"""How the averaged weights do on held-out speech, and when they were best."""

from pathlib import Path

from torch import nn

from lbtts.acoustics.store.batching import collate
from lbtts.acoustics.store.features import FeatureStore
from lbtts.grid import UNIT_RATE
from lbtts.models.randomness import utterance_seeds
from lbtts.models.recipe import Recipe
from lbtts.params import Train
from lbtts.training import samples
from lbtts.training.recorder import Metrics, Recorder
from lbtts.training.state import Best, State


def validate(network: nn.Module, recipe: Recipe, store: FeatureStore, train: Train) -> Metrics:
    """Mean teacher-forced losses over some held-out utterances, one fixed crop of each."""
    device = next(network.parameters()).device
    crop_units = round(train.crop_seconds * UNIT_RATE)
    means: Metrics = {}
    chosen = store.held_out("choice", train.validation_utterances)
    network.eval()
    for index in chosen.tolist():
        batch = collate(store, [index], crop_units, (train.seed,)).to(device)
        losses = recipe.validate(network, batch, utterance_seeds(train.seed, indices=[index]))
        for name, loss in losses.items():
            means[name] = means.get(name, 0.0) + loss.item() / len(chosen)
    return means


def record(
    state: State, store: FeatureStore, train: Train, folder: Path, recorder: Recorder
) -> float:
    """The criterion of the averaged weights, which are validated and speak a held-out sentence."""
    network = state.averaged()
    losses = validate(network, state.recipe, store, train)
    weights = state.recipe.weights(state.step)
    total = sum(weights.get(name, 0.0) * value for name, value in losses.items())
    losses["total"] = total
    recorder.log(state.step, {f"validation/{name}": value for name, value in losses.items()})
    if recorder.writes:
        samples.save(network, state.recipe, store, train.seed, folder, state.step)
    return losses[state.recipe.criterion]


def compare(state: State, criterion: float) -> None:
    """Keeps the averaged weights if they are the best so far."""
    best = state.best
    if criterion < best.criterion:
        weights = {k: v.detach().cpu().clone() for k, v in state.averaged().state_dict().items()}
        state.best = Best(state.step, criterion, 0, weights)
    else:
        best.waited += 1
