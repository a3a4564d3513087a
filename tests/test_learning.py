import re

import pytest
import torch
from ruamel.yaml import YAML

from benchmarks import readings, voice_table
from benchmarks.tables import as_table
from lbtts import params
from lbtts.evaluation.bootstrap import Estimate
from lbtts.models.kokoro.weights.facts import TABLE_ROWS


def table():
    return torch.randn(TABLE_ROWS, 1, 256, generator=torch.Generator().manual_seed(0))


def test_a_constant_table_has_the_mean_of_the_rows_that_were_trained_in_every_row():
    rows = table()
    flat = voice_table.constant(rows, torch.tensor([3, 3, 7]))
    assert flat.shape == rows.shape
    torch.testing.assert_close(flat[509], (2 * rows[2] + rows[6]) / 3)
    assert bool((flat == flat[0]).all())


def test_a_published_table_lies_between_the_least_and_the_greatest_published(shared):
    folder = shared("kokoro")
    adam = torch.frombuffer(bytearray((folder / "am_adam.bin").read_bytes()), dtype=torch.float32)
    for measure in voice_table.shapes({"known": adam.view(510, 1, 256)}, folder).values():
        least, most = measure["published"]
        assert least <= measure["known"] <= most


def test_as_many_sentences_of_each_length_are_spread_over_the_file_and_none_comes_twice(
    monkeypatch,
):
    monkeypatch.setattr(readings, "COUNT", 5)
    short = [f"dëse Saz {chr(97 + k // 26)}{chr(97 + k % 26)}" for k in range(100)]
    long = [f"{line} ass méi laang" for line in short[:20]]
    others = ["ze kuerz", "dëse Saz huet d'Zuel 1234 a sech dran", "x" * readings.LONGEST]
    chosen = readings.choose([*short, *long, *others, *short])
    assert chosen == [*short[::20], *long[::4]]


def test_the_choices_for_the_corpus_are_valid(tmp_path):
    YAML().dump(readings.choices(), tmp_path / "params.yaml")
    assert params.load(tmp_path / "params.yaml").corpus.name == readings.NAME


@pytest.mark.parametrize(
    ("figure", "shown"),
    [
        (0.123456, "0.1235"),
        ([1.5, 2.0], "1.5 to 2"),
        (Estimate(12.345, 9, 16.54, 7), "12.3 (9–16.5)"),
        (None, "–"),
    ],
)
def test_a_table_shows_every_kind_of_figure(figure, shown):
    row = {} if figure is None else {"a": figure}
    last = as_table({"line": row}, {"a": "A"}).splitlines()[-1]
    assert re.split(r" ?\| ?", last)[1:3] == ["line", shown]
