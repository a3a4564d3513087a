import numpy as np
import pytest
import torch

from lbtts.models.kokoro.voices import table as voice

IDS = tuple(f"u{number:02}" for number in range(60))


@pytest.fixture(scope="module")
def table():
    draw = np.random.default_rng(0)
    embeddings = np.abs(draw.standard_normal((60, 256))).astype(np.float32)
    return voice.initial(IDS, embeddings, draw.integers(20, 150, 60), seed=0).table


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
    second = voice.initial(IDS, other, np.full(60, 80), seed=0).table
    assert cosine(table[80, 0], second[80, 0]) < 0.999


def test_where_lengths_are_rare_the_embedding_stays_near_that_of_its_neighbours():
    usual, other = np.eye(2, 8, dtype=np.float32)

    def expected_at_300(count):
        embeddings = np.concatenate([np.tile(usual, (200, 1)), np.tile(other, (count, 1))])
        lengths = np.r_[np.full(200, 60), np.full(count, 300)]
        return voice.expected_embedding(embeddings, lengths)[299]

    once, often = expected_at_300(1), expected_at_300(500)
    assert once @ usual > 0.8
    assert often @ other > 0.9


def test_the_expected_embedding_of_one_that_never_changes_is_that_one():
    same = np.random.default_rng(3).standard_normal(16).astype(np.float32)
    expected = voice.expected_embedding(np.tile(same, (40, 1)), np.full(40, 70))
    np.testing.assert_allclose(expected, np.tile(same, (510, 1)), atol=1e-5)


def test_beyond_the_longest_utterance_a_table_stays_close_to_the_last_row_seen():
    draw = np.random.default_rng(4)
    lengths = draw.integers(20, 120, 80)
    drift = np.outer(lengths / 120, draw.standard_normal(256))  # the voice changes with length
    embeddings = (1 + drift + 0.3 * draw.standard_normal((80, 256))).astype(np.float32)
    rows = voice.initial(IDS, embeddings, lengths, seed=0).table[:, 0]
    assert cosine(rows[119], rows[120:]).min() > 0.98
    assert (rows[120:].norm(dim=1) / rows[119].norm()).sub(1).abs().max() < 0.05


def test_a_voice_is_saved_as_the_same_bytes_each_time(tmp_path):
    """With several entries in its metadata, safetensors orders them at random."""
    made = voice.InitialVoice(("a", "b"), *(torch.zeros(2, 2) for _ in range(4)), nearest="one")
    for name in range(8):
        made.save(tmp_path / str(name))
    assert len({path.read_bytes() for path in tmp_path.iterdir()}) == 1
    assert voice.InitialVoice.load(tmp_path / "0").nearest == "one"
