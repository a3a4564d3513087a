import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from kokoro.istftnet import TorchSTFT

from benchmarks import miniature
from lbtts.models.kokoro.release.onnx_graph import RealSTFT, compare_graph, write_graph

SIZE, HOP = 20, 5  # Kokoro's
EDGE = SIZE // 2


def tokens(n: int) -> np.ndarray:
    symbols = np.random.default_rng(n).integers(43, 69, n)
    return np.r_[0, symbols, 0].astype(np.int64)


@pytest.fixture(scope="module")
def model():
    return miniature.random()


@pytest.fixture(scope="module")
def graph(model, tmp_path_factory):
    path = tmp_path_factory.mktemp("graph") / "onnx" / "model.onnx"
    write_graph(model, path, {"made": "here"})
    return path


@settings(max_examples=20)
@given(frames=st.integers(4, 200), seed=st.integers(0, 2**31))
def test_real_stft_is_torch_stft_both_ways(frames, seed):
    draw = torch.Generator().manual_seed(seed)
    real, stock = RealSTFT(SIZE, HOP, SIZE), TorchSTFT(SIZE, HOP, SIZE)
    audio = torch.randn(1, HOP * frames, generator=draw)
    (size, phase), (stock_size, stock_phase) = real.transform(audio), stock.transform(audio)
    assert torch.allclose(size, stock_size, atol=1e-5)
    for edge in (0, -1):  # real bins, whose phase is 0 or pi and never -pi
        sure = stock_size[:, edge] > 1e-4
        assert torch.equal(phase[:, edge][sure] < -1, torch.zeros_like(sure[sure]))
    turned = torch.polar(size, phase) - torch.polar(stock_size, stock_phase)
    assert turned.abs().max() < 1e-5

    spectrum = torch.exp(torch.randn(1, SIZE // 2 + 1, frames + 1, generator=draw))
    angles = torch.sin(torch.randn(1, SIZE // 2 + 1, frames + 1, generator=draw))
    made, expected = real.inverse(spectrum, angles), stock.inverse(spectrum, angles)
    assert made.shape == expected.shape
    assert torch.allclose(made[..., EDGE:-EDGE], expected[..., EDGE:-EDGE], atol=1e-4)


def test_graph_speaks_like_stock_kokoro_at_lengths_it_was_not_traced_at(graph, model, table):
    utterances = [(tokens(n), table[n - 1]) for n in (1, 5, 40)]
    metrics = compare_graph(graph, model, utterances)
    assert metrics["onnx_duration_mismatch"] == 0
    assert metrics["onnx_audio_difference"] < 0.05


def test_graph_of_other_weights_is_found_out(graph, table):
    metrics = compare_graph(graph, miniature.random(seed=1), [(tokens(30), table[29])])
    assert metrics["onnx_duration_mismatch"] > 0 or metrics["onnx_audio_difference"] > 0.3


def test_tracing_leaves_the_model_as_it_was_and_gives_the_same_bytes_again(graph, model, tmp_path):
    assert isinstance(model.decoder.generator.stft, TorchSTFT)
    assert not any(module.training for module in model.modules())
    write_graph(model, tmp_path / "again.onnx", {"made": "here"})
    assert (tmp_path / "again.onnx").read_bytes() == graph.read_bytes()
