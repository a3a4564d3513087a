"""The baseline learns four utterances of LJSpeech by heart."""

import contextlib

import pytest
import torch

from lbtts import params, paths
from lbtts.acoustics.store.batching import collate
from lbtts.acoustics.store.features import FeatureStore
from lbtts.models.transformer import mel as mels
from lbtts.models.transformer import recipe, weights
from lbtts.training import step, trainer
from stages import align, audit, durations, features
from tests.test_english_alignment import publish, sample

__all__ = ["sample"]  # the fixture

LEARNT = ("LJ001-0002", "LJ001-0004", "LJ001-0006", "LJ001-0008")  # 15.7 s
SMALL = {
    "width": 128, "heads": 4, "feed_forward": 256, "encoder_layers": 2, "decoder_layers": 2,
    "bottleneck": 64, "window": 6, "dropout": 0.0,
}  # fmt: skip
STEPS = 1300


@pytest.mark.slow
def test_four_utterances_are_learnt_by_heart_with_their_ends(one_thread, sample, root):
    with contextlib.chdir(sample):
        publish()
        for stage in (align, durations, audit, features):
            stage.main()
    store = FeatureStore(sample / paths.FEATURES)
    p = params.load(root / "profiles/baseline_small.yaml")
    history = p.transformer.history.model_copy(
        update={"noise": 0.1, "dropout": 0.2, "own": 0.3, "own_from": 100}
    )
    shape = p.transformer.architecture.model_copy(update=SMALL)
    section = p.transformer.model_copy(update={"architecture": shape, "history": history})
    changes = {"lr": 2e-3, "warmup": 100, "weight_decay": 0.0, "ema": 0.9}
    train = p.train.model_copy(update=changes)
    accelerator = trainer.accelerate(train)
    made = recipe.TransformerRecipe(
        weights.untrained(shape, 0), store, train, section, accelerator.device, accelerator.autocast
    )
    state = trainer.setup(made, train, accelerator.device)
    chosen = [store.ids.index(name) for name in LEARNT]
    for number in range(STEPS):
        batch = collate(store, chosen, 1000, (0, number))
        step.train_step(state, batch, train, accelerator)

    network = state.averaged()
    free = []
    for index in chosen:
        alone = collate(store, [index], 1000, (0,))
        free.append(float(made.validate(network, alone, [0])[recipe.FREE]))
        spoken = network.inference(alone.tokens)
        assert torch.equal(spoken.units, alone.units[0])
        assert abs(len(spoken.mel) - int(mels.boundaries(alone.units[0].numpy())[-1])) <= 2
        assert not spoken.faults
    print(f"\nmel L1 without teacher forcing: {free}")
    assert max(free) < 0.1
