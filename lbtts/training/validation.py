"""Validation of the averaged weights on held-out speech."""

from pathlib import Path

from torch import nn

from lbtts.acoustics.store.batching import collate
from lbtts.acoustics.store.features import FeatureStore
from lbtts.grid import UNIT_RATE
from lbtts.models.randomness import utterance_seeds
from lbtts.models.recipe import Recipe
from lbtts.params import Train
from lbtts.training import samples
from lbtts.training.choice import Choice, Spoken
from lbtts.training.recorder import Metrics, Recorder
from lbtts.training.state import State


def losses(network: nn.Module, recipe: Recipe, store: FeatureStore, train: Train) -> Metrics:
    """Mean teacher-forced losses over some held-out utterances, one fixed crop of each."""
    device = next(network.parameters()).device
    crop_units = round(train.crop_seconds * UNIT_RATE)
    means: Metrics = {}
    chosen = store.held_out("choice", train.validation_utterances)
    network.eval()
    for index in chosen.tolist():
        batch = collate(store, [index], crop_units, (train.seed,)).to(device)
        found = recipe.validate(network, batch, utterance_seeds(train.seed, indices=[index]))
        for name, loss in found.items():
            means[name] = means.get(name, 0.0) + loss.item() / len(chosen)
    return means


def speak(
    network: nn.Module, recipe: Recipe, store: FeatureStore, train: Train, count: int
) -> Spoken:
    """At most `count` held-out utterances, and the network's speech with its own durations."""
    chosen = store.held_out("choice", count)
    utterances = [store[index] for index in chosen.tolist()]
    return [(utterance, recipe.speak(network, utterance, train.seed)) for utterance in utterances]


def record(
    state: State,
    store: FeatureStore,
    train: Train,
    choice: Choice,
    folder: Path,
    recorder: Recorder,
) -> Metrics:
    """The losses of the averaged weights, and the metrics that the choice rule measures.

    Only the process that writes synthesises and measures speech.
    """
    network = state.averaged()
    metrics = losses(network, state.recipe, store, train)
    weights = state.recipe.weights(state.step)
    metrics["total"] = sum(weights.get(name, 0.0) * value for name, value in metrics.items())
    if recorder.writes:
        spoken = speak(network, state.recipe, store, train, train.validation_speech)
        samples.save(*spoken[0], folder, state.step)
        metrics |= choice.measure(spoken)
    recorder.log(state.step, {f"validation/{name}": value for name, value in metrics.items()})
    return metrics
