"""Training learns four real utterances by heart, from their recordings and MFA's TextGrids on."""

import contextlib
import math
import shutil
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from torch import nn

from lbtts.acoustics.store.features import FeatureStore
from lbtts.evaluation.distances import duration_error, f0_differences
from lbtts.models.kokoro.network.losses import SpectralLoss
from lbtts.models.kokoro.network.trainable import Kokoro, token_lengths
from lbtts.models.kokoro.voices.table import InitialVoice
from lbtts.models.kokoro.weights import checkpoint, facts, recovery
from lbtts.models.randomness import seeded_noise
from lbtts.training import step, trainer
from lbtts.training.choice import LeastLoss
from stages import align, audit, corpus, durations, features, g2p
from tests.train_small import begin, choices, start

# 2.0 to 2.4 s of speech. No stretch of voice in them is shorter than four frames: islands of one or
# two frames, as the tracker leaves them elsewhere, are learnt last of all.
LEARNT = ["lb-wiki-0082", "lb-wiki-0088", "lb-wiki-0140", "lb-wiki-0157"]
HELD_OUT = "lb-wiki-0162"  # for the validations; the split's rule holds out this one of the five
WAVEFORM = 600  # step by which durations and pitch are nearly learnt and the waveform's turn comes


@dataclass(frozen=True)
class Measured:
    """How far a network is from the recordings that it learnt, with their durations.

    mel: spectral convergence of log-mels.
    f0: cents, RMS over all voiced frames of the recordings.
    duration: units a token, of its own durations.
    """

    mel: float
    f0: float
    duration: float


@pytest.fixture(scope="module")
def real_features(shared, root, known, tmp_path_factory):
    """The feature file of five real utterances, in which MFA found the phones."""
    folder = tmp_path_factory.mktemp("overfit")
    raw = folder / "data/raw/real"
    raw.mkdir(parents=True)
    lines = shared("marylux", "metadata.csv").read_text(encoding="utf-8").splitlines()
    chosen = [line for line in lines if line.partition("|")[0] in (*LEARNT, HELD_OUT)]
    (raw / "metadata.csv").write_text("\n".join(chosen), encoding="utf-8")
    (raw / "wavs").symlink_to(shared("marylux", "wavs"))
    (raw / "textgrids").symlink_to(shared("mfa", "textgrids"))
    params = (root / "profiles/demo.yaml").read_text(encoding="utf-8")
    head, _, tail = params.partition("  demo:\n")
    params = head + tail.partition("\n\n")[2]
    for old, new in (
        ("source: demo ", "source: ljspeech "),
        ("name: demo", "name: real"),
        ("test_share: 0.1", "test_share: 0"),
        ("backend: kaldi", "backend: textgrid"),
        ("jobs: 0", "jobs: 1"),
    ):
        assert old in params
        params = params.replace(old, new, 1)
    (folder / "params.yaml").write_text(params, encoding="utf-8")
    shutil.copytree(known, folder / "data/lexicon")
    shutil.copy(root / "data/additions.tsv", folder / "data")
    with contextlib.chdir(folder):
        for stage in (corpus, g2p, align, durations, audit, features):
            stage.main()
    return folder / "data/features.h5"


def drop_nothing(network: nn.Module) -> None:
    """Switches dropout off, with which the F0 error comes to rest near 45 cents."""
    for module in network.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0


def measure(network: Kokoro, store: FeatureStore) -> Measured:
    """The distances of whole utterances, the decoder following the recordings' F0 and energy.

    A frame that is voiced in the recording counts in the F0 error whatever the network says there.
    """
    network.eval()
    spectral = SpectralLoss()
    mel, durations, predicted, true = [], [], [], []
    for index in store.indices("train"):
        utterance = store[int(index)]
        tokens, units, f0, energy, audio = (
            torch.from_numpy(values)[None]
            for values in (
                utterance.tokens, utterance.units, utterance.f0, utterance.energy, utterance.audio
            )
        )  # fmt: skip
        with torch.no_grad(), seeded_noise(0):
            row = network.voice.rows(token_lengths(tokens))
            made = network.forward_train(
                tokens, row, teacher_dur=units, teacher_f0=f0, teacher_noise=energy
            )
            mel.append(float(spectral(made.audio, audio)[0]))
        own = made.durations[0].round().clamp(min=1).long().numpy()
        durations.append(duration_error(own, utterance.units))
        voiced = utterance.f0 > 0
        predicted.append(made.f0[0].numpy()[voiced].clip(min=1))
        true.append(utterance.f0[voiced])
    f0 = f0_differences(np.concatenate(predicted), np.concatenate(true))
    cents = math.sqrt(f0["f0_squared_cents"] / f0["f0_frames"])
    return Measured(float(np.mean(mel)), cents, float(np.mean(durations)))


# Nothing that generalises, and nothing that needs many voices.
BY_HEART = {
    "batch_seconds": 3,
    "crop_seconds": 3,
    "weight_decay": 0,
    "teacher_forcing": {"final_ratio": 1},
    "voice_dropout": 1,
}


@pytest.mark.slow
def test_four_real_utterances_are_learnt_by_heart(one_thread, real_features, tmp_path):
    """Whole utterances, one a step. The waveform waits, as its gradients are most of the time."""
    p = choices(
        **BY_HEART,
        steps=800,
        lr=4e-3,
        components={"voice": {"lr": 0.25}},
        warmup=80,
        ema=0.98,
        losses={
            "mel": {"weight": 5, "start": WAVEFORM},
            "stft": {"weight": 1, "start": WAVEFORM},
            "voice": {"weight": 0, "start": 0},
        },
        validate_every=10_000,
        checkpoint_every=10_000,
    )
    state, store, accelerator = start(real_features, p)
    assert [store.ids[i] for i in store.indices("train")] == LEARNT
    before = measure(state.averaged(), store)
    drop_nothing(state.recipe.network)
    curves = tmp_path / "curves"
    trainer.fit(state, store, p, accelerator, LeastLoss("stft"), tmp_path, curves)
    after = measure(state.averaged(), store)
    print(f"\nbefore: {before}\nafter:  {after}")
    assert after.mel < before.mel / 3
    assert after.f0 < 15
    assert after.duration < 0.5


SOON, LATER, LAST = 20, 40, 160  # steps


def measurements(model, features, steps):
    """How far `model`, at full size, is from the recordings after every 20 steps."""
    own = {"lr": 3e-4, "components": {"voice": {"lr": 3.3}}, "warmup": 20, "ema": 0.5}
    p = choices(**BY_HEART, **own, losses={"voice": {"weight": 0, "start": 0}})
    store = FeatureStore(features)
    voice = InitialVoice(
        ids=tuple(store.ids[i] for i in store.indices("train")),
        table=recovery.voices()["jf_alpha"],  # a woman's, as the recordings are
        projection=torch.zeros(1, 256),
        deviations=torch.zeros(len(LEARNT), 1),
        embeddings=torch.zeros(len(LEARNT), 1),
    )
    state, accelerator = begin(model, voice, store, p)
    drop_nothing(state.recipe.network)
    dataset = trainer.steps(store, p.train)
    found = {}
    for number in range(steps):
        step.train_step(state, dataset[number], p.train, accelerator)
        if state.step % SOON == 0:
            found[state.step] = measure(state.recipe.network, store)
            print(f"{state.step:4}  {found[state.step]}", flush=True)
    return found


@pytest.mark.slow
def test_the_real_base_learns_them_in_a_fraction_of_the_steps(real_features):
    """At full size, beside random weights under the same losses and rates.

    The bars for mel and durations are what the miniature needs some 800 steps for. The melody comes
    last: 40 cents after 200 steps.
    """
    base = checkpoint.build(facts.config())
    recovery.load_recovered(base, recovery.graph())
    real = measurements(base, real_features, LAST)
    random = measurements(checkpoint.random(facts.config(), 0), real_features, SOON)
    assert real[SOON].mel < 0.5 and real[LATER].duration < 0.5 and real[LAST].f0 < 80
    assert random[SOON].mel > 2 * real[SOON].mel
