"""One optimizer step: the same however it is divided, and what happens when it goes wrong."""

import contextlib
import copy

import pytest
import torch
from accelerate.state import AcceleratorState

from lbtts.acoustics.measuring import mel
from lbtts.acoustics.store.batching import Batch
from lbtts.errors import InputError
from lbtts.models.kokoro.network import objective, schedules
from lbtts.models.kokoro.network.trainable import Kokoro
from lbtts.models.randomness import UtteranceNoise, utterance_seeds
from lbtts.training import nonfinite, resume, step, trainer
from lbtts.training.choice import LeastLoss
from tests.corpora import equal_utterances
from tests.train_small import choices, start, train, with_loaders

BATCH = {"batch_seconds": 1.6, "crop_seconds": 0.4}  # four utterances


pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def features(tmp_path_factory):
    return equal_utterances(tmp_path_factory.mktemp("step"), "abcdefghi")


def taken(features, steps=1, **changes):
    """The state after some steps, and the metrics of the last."""
    p = choices(**BATCH | changes)
    state, store, accelerator = start(features, p)
    dataset = trainer.steps(store, p.train)
    for number in range(steps):
        metrics = step.train_step(state, dataset[number], p.train, accelerator)
    return state, metrics


def distance(one: Kokoro, other: Kokoro) -> float:
    pairs = zip(one.parameters(), other.parameters(), strict=True)
    return max((a - b).abs().max().item() for a, b in pairs)


def gradients(state):
    """The gradients of the only step so far, clipped: Adam remembers a tenth of each."""
    return {k: moments["exp_avg"] for k, moments in state.optimizer.state_dict()["state"].items()}


SEEDS = (3, 5, 6)


def apart(one, other):
    """The largest difference between two gradients of a tensor, over what rounding explains.

    Each is a sum over batch and time, whose terms mostly cancel: what float32 leaves of it depends
    on the order of the sum, which the kernels of one processor choose otherwise than another's. It
    is a share of the tensor's length, 0.3 % at most where it was measured; in a tensor whose terms
    cancel wholly, a share of the whole gradient's, 1e-7.

    For one seed in three it is far more: where a bin of the source's spectrum lies on the cut of
    kokoro's arctangent, rounding makes another waveform. So the smallest over `SEEDS` counts: a
    step that depended on its division would do so for every seed.
    """
    first, second = gradients(one), gradients(other)
    assert first.keys() == second.keys()
    whole = length(first.values())
    return max(
        ((second[key] - gradient).norm() / (1e-2 * gradient.norm() + 1e-6 * whole)).item()
        for key, gradient in first.items()
    )


def length(tensors):
    return torch.stack([tensor.norm() for tensor in tensors]).norm()


def test_micro_batches_make_the_same_step(features):
    found = []
    for seed in SEEDS:
        (whole, expected), (parts, metrics) = (
            taken(features, accumulate=count, seed=seed) for count in (1, 3)
        )
        del expected["gradient_norm"], metrics["gradient_norm"]  # see `apart`
        assert metrics == pytest.approx(expected, rel=1e-3)
        found.append(apart(whole, parts))
    assert min(found) < 1


def test_a_step_without_one_of_its_utterances_is_another(features):
    four, three = (gradients(taken(features, batch_seconds=s)[0]) for s in (1.6, 1.2))
    assert length(four[key] - three[key] for key in four) > 0.1 * length(four.values())


def test_recomputation_makes_the_same_step_to_the_bit(features):
    (kept, _), (again, _) = (taken(features, recompute=choice) for choice in (False, True))
    assert distance(kept.recipe.network, again.recipe.network) == 0


def test_an_utterance_meets_the_same_noise_in_any_company():
    seeds = utterance_seeds(0, 5, indices=[3, 7])
    with UtteranceNoise(seeds, torch.device("cpu")):
        both = torch.randn_like(torch.empty(2, 9)), torch.nn.functional.dropout(torch.ones(2, 50))
    with UtteranceNoise(seeds[1:], torch.device("cpu")):
        one = torch.randn_like(torch.empty(1, 9)), torch.nn.functional.dropout(torch.ones(1, 50))
    for rows, row in zip(both, one, strict=True):
        assert torch.equal(rows[1:], row)
        assert not torch.equal(rows[:1], row)
    assert set(both[1].unique().tolist()) == {0.0, 2.0}


def test_out_of_memory_makes_smaller_micro_batches_and_the_same_step(features, monkeypatch, capsys):
    expected = [taken(features, seed=seed)[0] for seed in SEEDS]
    forward = Kokoro.forward_train

    def small_machine(self, tokens, *arguments, **options):
        if len(tokens) > 1:
            raise RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory")
        return forward(self, tokens, *arguments, **options)

    monkeypatch.setattr(Kokoro, "forward_train", small_machine)
    divided = [taken(features, seed=seed)[0] for seed in SEEDS]
    assert [state.micro_batches for state in divided] == [4, 4, 4]
    assert "out of memory; from now on a step has 4 micro-batches" in capsys.readouterr().out
    assert min(apart(*pair) for pair in zip(expected, divided, strict=True)) < 1


def test_no_memory_for_one_utterance_ends_the_run_and_names_it(features, monkeypatch):
    def no_machine(*_, **__):
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate")

    monkeypatch.setattr(Kokoro, "forward_train", no_machine)
    with pytest.raises(InputError, match=r"[a-h] alone does not fit into memory; lower train"):
        taken(features)


def test_other_errors_are_not_taken_for_want_of_memory(features, monkeypatch):
    def broken(*_, **__):
        raise RuntimeError("shapes do not match")

    monkeypatch.setattr(Kokoro, "forward_train", broken)
    with pytest.raises(RuntimeError, match="shapes do not match"):
        taken(features)


def planted(features, folder, plant):
    """The message of a training in which `plant(state, batch)` broke something before step 2."""
    p = with_loaders(choices(**BATCH, steps=3, validate_every=10), 0)
    state, store, accelerator = start(features, p)
    train_step = step.train_step

    def breaking(state, batch, *rest):
        if state.step == 1:
            plant(state, batch)
        return train_step(state, batch, *rest)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(step, "train_step", breaking)
        with pytest.raises(InputError) as error:
            trainer.fit(state, store, p, accelerator, LeastLoss("stft"), folder, folder / "curves")
    return str(error.value), p


def test_a_nan_in_the_data_is_recorded_and_can_be_replayed(features, tmp_path):
    hurt = []

    def plant(state, batch):
        batch.f0[2] = float("nan")
        hurt.append(batch.ids[2])

    message, p = planted(features, tmp_path, plant)
    assert "train: step 2: not finite: " in message
    assert f"utterance {hurt[0]}" in message
    assert "--replay" in message and str(tmp_path / nonfinite.RECORD) in message

    fresh, _, accelerator = start(features, p)
    failed = nonfinite.Record.load(tmp_path / nonfinite.RECORD)
    then, now = nonfinite.replay(fresh, failed, accelerator)
    assert (now.utterance, now.place, now.what) == (then.utterance, then.place, then.what)
    assert now.place.startswith("model.decoder.F0_conv")
    assert now.extremes == pytest.approx(then.extremes, nan_ok=True)
    assert any(name.startswith("model.bert") for name in now.extremes)


def test_what_is_no_record_of_a_failed_step_is_named(tmp_path):
    resume.save({"state": {}, "history": []}, tmp_path / "checkpoint.pt")
    for name in ("checkpoint.pt", "none.pt"):
        with pytest.raises(InputError, match=rf"{name}: no record of a failed step; the message"):
            nonfinite.Record.load(tmp_path / name)


def test_a_weight_that_overflows_is_named_by_its_module(features, tmp_path):
    def plant(state, batch):
        with torch.no_grad():
            state.recipe.network.model.text_encoder.cnn[0][0].weight_g.fill_(1e38)

    message, _ = planted(features, tmp_path, plant)
    assert "not finite: the output of model.text_encoder" in message


def test_a_broken_weight_is_named_itself(features, tmp_path):
    def plant(state, batch):
        with torch.no_grad():
            state.recipe.network.model.bert_encoder.bias[3] = float("inf")

    message, _ = planted(features, tmp_path, plant)
    assert "not finite before the step: model.bert_encoder.bias" in message


def test_a_failed_step_changes_nothing_but_gradients(features, tmp_path):
    p = choices(**BATCH)
    state, store, accelerator = start(features, p)
    batch = trainer.steps(store, p.train)[0]
    batch.audio[0] = float("inf")
    before = copy.deepcopy(state.recipe.network.state_dict())
    with pytest.raises(step.NotFinite):
        step.train_step(state, batch, p.train, accelerator)
    assert state.step == 0
    assert all(torch.equal(v, before[k]) for k, v in state.recipe.network.state_dict().items())


def test_frozen_components_wait_and_the_voice_trains_at_once(features):
    waits = {"bert": 2, "bert_encoder": 9, "text_encoder": 9, "decoder": 9}
    waits |= {"generator": None, "upsampling": None, "adain": None}
    p = choices(**BATCH, components={name: {"frozen": until} for name, until in waits.items()})
    state, store, accelerator = start(features, p)
    dataset = trainer.steps(store, p.train)

    def moved(before):
        groups = state.recipe.network.components().items()
        return {
            name
            for name, tensors in groups
            if any(not torch.equal(p, old) for p, old in zip(tensors, before[name], strict=True))
        }

    for number, expected in enumerate(
        [{"voice", "predictor"}] * 2 + [{"voice", "predictor", "bert"}]
    ):
        before = {k: copy.deepcopy(v) for k, v in state.recipe.network.components().items()}
        step.train_step(state, dataset[number], p.train, accelerator)
        assert moved(before) == expected, number


def test_an_anchored_component_is_pulled_back_to_the_base(features):
    """So hard that nothing of the step is left."""
    p = choices(**BATCH, warmup=0)
    anchored = {"predictor": {"anchor": 1 / p.train.lr}}
    begun, _, _ = start(features, p)
    state, _ = taken(features, warmup=0, components=anchored)
    before, after = (s.recipe.network.components() for s in (begun, state))
    for name in ("predictor", "decoder"):
        same = (torch.equal(a, b) for a, b in zip(before[name], after[name], strict=True))
        assert all(same) == (name == "predictor"), name


def test_a_louder_recording_has_the_energy_of_a_louder_recording():
    audio = 0.1 * torch.randn(1, 6_000, generator=torch.Generator().manual_seed(0))

    def batch(samples):
        energy = torch.from_numpy(mel.energy(mel.log_mel(samples[0].numpy())))[None]
        count = len(energy[0])
        whole = torch.zeros(1, dtype=torch.int64)
        ids = ("a",), (0,), 1, count // 2
        return Batch(*ids, whole, whole, whole, torch.zeros(1, count), energy, samples)

    quiet, loud = batch(audio), batch(audio * 10 ** (6 / 20))
    changed = objective.at_level(quiet, torch.tensor([6.0]))
    torch.testing.assert_close(changed.audio, loud.audio)
    torch.testing.assert_close(changed.energy, loud.energy, atol=2e-2, rtol=0)
    assert (loud.energy - quiet.energy).min() > 1


def test_before_a_loss_of_the_waveform_counts_the_decoder_does_not_run(features, monkeypatch):
    later = {"weight": 1, "start": 1}
    p = choices(**BATCH, losses={"mel": later, "stft": later})
    state, store, accelerator = start(features, p)
    ran = []
    state.recipe.network.model.decoder.register_forward_hook(lambda *_: ran.append(state.step))
    dataset = trainer.steps(store, p.train)
    names = []
    for number in range(2):
        step.train_step(state, dataset[number], p.train, accelerator)
        names.append(set(state.recipe.loss_names(number)))
    assert ran == [1]
    assert names[1] - names[0] == {"mel", "stft"}


def test_a_waveform_that_only_discriminators_hear_keeps_no_graph_and_changes_no_gradient(features):
    later = {"weight": 1, "start": 1}
    waveform = {"mel": later, "stft": later}
    heard = waveform | {"adversarial": later, "feature_matching": later}
    p = choices(**BATCH, losses=heard, discriminators={"width": 2})
    state, store, accelerator = start(features, p)
    graphs = []
    decoder = state.recipe.network.model.decoder
    decoder.register_forward_hook(lambda module, inputs, out: graphs.append(out.requires_grad))
    dataset = trainer.steps(store, p.train)
    metrics = step.train_step(state, dataset[0], p.train, accelerator)
    with_discriminators = {name: tensor.clone() for name, tensor in gradients(state).items()}
    step.train_step(state, dataset[1], p.train, accelerator)
    assert graphs == [False, True]
    without, _ = taken(features, losses=waveform)
    assert with_discriminators.keys() == gradients(without).keys()
    for name, tensor in gradients(without).items():
        assert torch.equal(with_discriminators[name], tensor)
    judged = {"adversarial": later, "feature_matching": later}
    _, with_graph = taken(features, losses=judged, discriminators={"width": 2})
    assert metrics["discriminators"] == with_graph["discriminators"]


@contextlib.contextmanager
def another_precision():
    """Inside, the precision may differ from the one that Accelerate keeps for a whole process."""
    AcceleratorState._reset_state()
    try:
        yield
    finally:
        AcceleratorState._reset_state()


def test_bfloat16_follows_float32(features, monkeypatch):
    monkeypatch.setattr(trainer, "has_bf16", lambda _: True)  # the network is small
    _, exact = taken(features)
    with another_precision():
        state, coarse = taken(features, precision="bf16")
    assert {p.dtype for p in state.recipe.network.parameters()} == {torch.float32}
    for name in ("duration", "f0", "energy", "mel", "stft"):
        assert coarse[name] == pytest.approx(exact[name], rel=0.05), name
        assert coarse[name] != exact[name], "was the precision lowered at all?"


@pytest.mark.parametrize(
    ("precision", "message"), [("fp16", "fp16 needs a GPU"), ("bf16", "bf16 takes far longer")]
)
def test_precision_that_the_processor_lacks_is_refused(features, monkeypatch, precision, message):
    if torch.cuda.is_available():
        pytest.skip("there is a GPU")
    monkeypatch.setattr(trainer, "has_bf16", lambda _: False)
    with another_precision(), pytest.raises(InputError, match=f"train.precision: {message}"):
        taken(features, precision=precision)


@pytest.mark.parametrize("adversarial", [False, True])
def test_gradients_scaled_too_far_are_skipped_until_the_scale_has_come_down(features, adversarial):
    """What fp16 does on a GPU, at float32's range on any machine."""
    on = {"weight": 1 if adversarial else 0, "start": 0}
    changes = {
        "losses": {"adversarial": on, "feature_matching": on},
        "discriminators": {"width": 2, "lr": 1e-3},
    }
    p = choices(**BATCH, **changes)
    state, store, accelerator = start(features, p)
    state.scaler = torch.amp.GradScaler("cpu", init_scale=2.0**127)
    dataset = trainer.steps(store, p.train)
    before = copy.deepcopy(state.recipe.network.state_dict())
    step.train_step(state, dataset[0], p.train, accelerator)
    assert all(torch.equal(v, before[k]) for k, v in state.recipe.network.state_dict().items())
    assert state.scaler.get_scale() == 2.0**126
    for number in range(1, 20):
        step.train_step(state, dataset[number], p.train, accelerator)
    assert any(not torch.equal(v, before[k]) for k, v in state.recipe.network.state_dict().items())
    assert all(torch.isfinite(p).all() for p in state.recipe.network.parameters())


def test_adversarial_losses_start_at_their_step_and_train_both_sides(features):
    late = {"weight": 1, "start": 1}
    changes = {
        "losses": {"adversarial": late, "feature_matching": late},
        "discriminators": {"width": 2, "lr": 1e-3},
    }
    first_state, first = taken(features, **changes)
    assert "adversarial" not in first
    discriminators = [p.clone() for p in first_state.recipe.adversary.parameters()]
    state, second = taken(features, steps=2, **changes)
    assert second["discriminators"] > 0 and second["adversarial"] > 0
    assert second["feature_matching"] > 0
    assert all(
        not torch.equal(a, b)
        for a, b in zip(discriminators, state.recipe.adversary.parameters(), strict=True)
    )
    plain, _ = taken(features, steps=2)
    assert distance(plain.recipe.network, state.recipe.network) > 0


def test_a_run_with_discriminators_resumes_to_the_bit(features, tmp_path):
    on = {"weight": 1, "start": 0}
    changes = {
        "losses": {"adversarial": on, "feature_matching": on},
        "discriminators": {"width": 2, "lr": 1e-3},
    }
    whole = train(features, tmp_path / "whole", steps=3, **changes)
    train(features, tmp_path / "parts", steps=2, **changes)
    resumed = train(features, tmp_path / "parts", steps=3, **changes)
    assert distance(whole.recipe.network, resumed.recipe.network) == 0
    pairs = zip(
        whole.recipe.adversary.parameters(), resumed.recipe.adversary.parameters(), strict=True
    )
    assert all(torch.equal(a, b) for a, b in pairs)


def test_the_share_of_teacher_forced_utterances_falls_to_its_end():
    forcing = {"hold": 10, "decay": 20, "final_ratio": 0.4}
    forcing = choices(teacher_forcing=forcing).kokoro.teacher_forcing
    shares = [schedules.teacher_ratio(number, forcing) for number in (0, 10, 20, 30, 999)]
    assert shares == pytest.approx([1, 1, 0.7, 0.4, 0.4])


def test_the_decoder_follows_its_own_f0_where_it_is_not_teacher_forced(features):
    forced, alone = (
        taken(features, teacher_forcing={"hold": 0, "decay": 1, "final_ratio": r}, steps=2)[0]
        for r in (1.0, 0.0)
    )
    # only then does the waveform teach the predictor of F0
    assert distance(forced.recipe.network, alone.recipe.network) > 0


def test_a_deviation_moves_the_row_of_its_utterance_only_in_training(features):
    p = choices(**BATCH)
    state, store, _ = start(features, p)
    voice = state.recipe.network.voice
    lengths = torch.tensor([12, 30])
    deviations = torch.zeros(2, voice.projection.shape[0])
    deviations[1, 0] = 2
    moved = voice.rows(lengths, deviations) - voice.rows(lengths)
    assert moved[0].abs().max() == 0
    torch.testing.assert_close(moved[1], 2 * voice.projection[0])
    known = state.recipe.objective.deviations.abs().sum(1) > 0
    assert known.tolist() == [name != "i" for name in store.ids]
