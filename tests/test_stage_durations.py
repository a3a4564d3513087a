import contextlib

import pandas as pd
import pytest

from lbtts import paths
from lbtts.alignment import textgrid
from lbtts.alignment.report import Row, Status, write_report
from lbtts.alignment.textgrid import Alignment, Interval
from lbtts.corpus.manifest import Entry, write_manifest
from lbtts.errors import InputError
from lbtts.grid import UNIT_RATE, units_to_samples
from lbtts.records import read_json
from lbtts.text.tokens import write_token_plans
from stages import durations
from tests.tones import plan

REPORT = "data/alignment/report.csv"


def grid(name, utterance, *times, labels="au"):
    """The TextGrid of phones at (begin, end) in units."""
    phones = [
        Interval(begin / UNIT_RATE, end / UNIT_RATE, label)
        for label, (begin, end) in zip(labels, times, strict=True)
    ]
    alignment = Alignment((), tuple(phones), utterance / UNIT_RATE)
    textgrid.write(alignment, f"data/alignment/{name}.TextGrid")


@pytest.fixture
def project(root, tmp_path):
    """Four aligned utterances: good, with a long pause, with other phones, without TextGrid; and
    one that the aligner rejected."""
    params = (root / "profiles/demo.yaml").read_text(encoding="utf-8")
    params = params.replace("max_rejected: 0.05", "max_rejected: 0.5")
    (tmp_path / "params.yaml").write_text(params, encoding="utf-8")
    for name in ("corpus", "g2p", "alignment"):
        (tmp_path / "data" / name).mkdir(parents=True)
    utterances = {"good": 40, "long": 100, "other": 40, "gone": 40, "rejected": 40}
    with contextlib.chdir(tmp_path):
        write_token_plans(
            [plan(name, "a", "u") for name in utterances], "data/alignment/spoken.jsonl"
        )
        write_manifest(
            [
                Entry(name, "train", "a u", audio="x", samples=units_to_samples(utterance))
                for name, utterance in utterances.items()
            ],
            paths.MANIFEST,
        )
        statuses: dict[str, Status] = {name: "keep" for name in utterances} | {"rejected": "reject"}
        rows = [Row(name, "", "kaldi", status, score=-1) for name, status in statuses.items()]
        write_report(rows, REPORT)
        grid("good", 40, (6, 16), (18, 30))
        grid("long", 100, (6, 16), (80, 92))
        grid("other", 40, (6, 16), (18, 30), labels="ai")
        grid("rejected", 40, (6, 16), (18, 30))
        yield tmp_path


def table():
    return pd.read_csv("data/durations.csv", dtype=str, keep_default_na=False).set_index("id")


def test_good_and_bad_utterances_are_listed_with_units_cuts_or_reason(project):
    durations.main()
    rows = table()
    assert rows.columns.tolist() == ["status", "reason", "units", "cuts"]
    assert rows.index.tolist() == ["gone", "good", "long", "other"]
    # BOS, ˈ, a, space, ˈ, u, full stop, EOS
    assert rows.loc["good"].tolist() == ["ok", "", "6 1 9 2 1 11 5 5", ""]
    cut = f"{(16 + 25) * 600}:{(16 + 39) * 600}"
    assert rows.loc["long"].tolist() == ["ok", "", "6 1 9 50 1 11 4 4", cut]
    assert "no TextGrid" in rows.at["gone", "reason"]
    assert "a i | a u" in rows.at["other", "reason"]
    assert set(rows.loc[["gone", "other"], "status"]) == {"rejected"}


def test_metrics_sum_the_table_up(project):
    durations.main()
    assert read_json("metrics/durations.json") == {
        "utterances": 2,
        "rejected": 2,
        "hours": round((40 + 86) / UNIT_RATE / 3600, 4),
        "units_per_token": round((40 + 86) / 16, 3),
        "seconds_cut": 14 / UNIT_RATE,
        "rounding_ms": 0.0,
    }


def test_twice_gives_the_same_bytes(project):
    runs = []
    for _ in range(2):
        durations.main()
        runs.append((project / "data/durations.csv").read_bytes())
    assert runs[0] == runs[1]


def test_too_many_rejects_stop_the_stage_after_its_table_is_written(project):
    params = (project / "params.yaml").read_text(encoding="utf-8")
    params = params.replace("max_rejected: 0.5", "max_rejected: 0.4")
    (project / "params.yaml").write_text(params, encoding="utf-8")
    with pytest.raises(InputError, match=r"durations: 2 of 4 .* data/durations\.csv"):
        durations.main()
    assert len(table()) == 4 and read_json("metrics/durations.json")["rejected"] == 2


def test_without_aligned_utterance_the_report_is_named(project):
    write_report([Row("good", "x", "kaldi", None)], REPORT)
    with pytest.raises(InputError, match=r"report\.csv: no aligned utterance"):
        durations.main()
