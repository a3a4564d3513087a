import numpy as np
import pytest
import torch

from lbtts.model import voice


@pytest.fixture(scope="module")
def table():
    draw = np.random.default_rng(0)
    embeddings = np.abs(draw.standard_normal((60, 256))).astype(np.float32)
    return voice.initial(embeddings, draw.integers(20, 150, 60), seed=0).table


def published_range(shared, measure):
    tables = [
        torch.from_numpy(np.fromfile(shared("kokoro", f"{name}.bin"), "<f4")).view(510, 256)
        for name in ("af_heart", "am_adam", "am_michael", "bm_george")
    ]
    values = [float(measure(t)) for t in tables]
    return min(values), max(values)


def cosine(a, b):
    return torch.cosine_similarity(a, b, dim=-1)


@pytest.mark.parametrize(
    "measure",
    [
        pytest.param(lambda t: t[0, :128].norm(), id="decoder norm at 1 symbol"),
        pytest.param(lambda t: t[100, :128].norm(), id="decoder norm at 101 symbols"),
        pytest.param(lambda t: t[0, 128:].norm(), id="prosody norm at 1 symbol"),
        pytest.param(lambda t: t[100, 128:].norm(), id="prosody norm at 101 symbols"),
        pytest.param(lambda t: cosine(t[0], t[50]), id="cosine of rows 0 and 50"),
    ],
)
def test_the_initial_table_lies_within_the_published_ones(table, shared, measure):
    least, most = published_range(shared, measure)
    assert 0.99 * least <= measure(table[:, 0]) <= 1.01 * most


def test_neighbouring_rows_differ_no_more_than_published_ones_do(table, shared):
    def worst(t):
        return cosine(t[1:], t[:-1]).min()

    assert worst(table[:, 0]) >= published_range(shared, worst)[0]


def test_a_table_is_what_stock_kokoro_indexes(table):
    assert table.shape == (510, 1, 256)
    assert table.dtype == torch.float32
    assert torch.isfinite(table).all()


def test_a_trainable_table_gives_back_the_table_it_was_made_from(table):
    torch.testing.assert_close(voice.VoiceTable(table).table(), table, atol=1e-4, rtol=0)


def test_the_row_of_an_utterance_is_the_one_kpipeline_takes(table):
    module = voice.VoiceTable(table)
    symbols = 37
    row = module.rows(torch.tensor([symbols + 2]))  # BOS and EOS
    torch.testing.assert_close(row, module.table()[symbols - 1])


def test_two_speakers_get_two_tables(table):
    draw = np.random.default_rng(7)
    other = np.abs(draw.standard_normal((60, 256))).astype(np.float32)
    second = voice.initial(other, np.full(60, 80), seed=0).table
    assert cosine(table[80, 0], second[80, 0]) < 0.999
