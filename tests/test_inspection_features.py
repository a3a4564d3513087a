import base64
import contextlib
import io
import re
import shutil

import numpy as np
import pandas as pd
import pytest
import soundfile
from matplotlib.image import imread

from lbtts import params
from lbtts.acoustics.measuring.report import Row, read_report, write_report
from lbtts.acoustics.store.features import FeatureStore
from lbtts.acoustics.store.writer import FeatureWriter
from lbtts.alignment.report import Row as AlignmentRow
from lbtts.alignment.report import write_report as write_alignment_report
from lbtts.corpus.audited import write_audit
from lbtts.corpus.manifest import Entry, write_manifest
from lbtts.errors import InputError
from lbtts.inspection import features
from lbtts.inspection.audit import AUDITED
from lbtts.page import bitmap, spectrogram
from lbtts.records import read_json
from lbtts.text.tokens import Phone, Token, TokenPlan, read_token_plans, write_token_plans
from stages import inspect
from tests.conftest import ROOT
from tests.corpora import HARVEST, buzz

IDS = [f"u{number:02d}" for number in range(14)]
UNITS = [4, 40, 4]
RUN = params.load(ROOT / "profiles/demo.yaml").run.model_copy(update={"jobs": 1})


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """After the stage `features`: fourteen buzzes, of which three stand out and u13 is suspect."""
    folder = tmp_path_factory.mktemp("inspection")
    shutil.copy(ROOT / "profiles/demo.yaml", folder / "params.yaml")
    plans = []
    with FeatureWriter(folder / "data/features.h5", HARVEST) as writer:
        for number, name in enumerate(IDS):
            units = [4, 80, 4] if name == "u03" else UNITS
            arrays = buzz(sum(units), number)
            if name == "u05":
                arrays.audio[:] = np.clip(arrays.audio, -800, 800)
            if name == "u07":
                arrays.energy[: len(arrays.energy) // 2] -= 20
            writer.add(name, "train", [0, 50, 0], units, arrays)
            phones = tuple(Phone("m", 0) for _ in range(30 if name == "u09" else 10))
            plans.append(TokenPlan(name, f"<{name}>", ("m",), phones, (Token("m", 0, 0),)))
    (folder / "data/alignment").mkdir()
    write_token_plans(plans, folder / "data/alignment/spoken.jsonl")
    rows = [Row(name, "", "", 0.9, 0, 0) for name in IDS[:-1]]
    rows += [Row("u13", "", "2.0 octave jumps", 0.9, 0, 2), Row("u99", "no <voiced> frame")]
    write_report(rows, folder / "data/features_report.csv")
    aligned = [AlignmentRow(name, "", "kaldi", "keep", confidence=0, score=-2) for name in IDS]
    write_alignment_report(aligned, folder / "data/alignment/report.csv")
    measured = {"worst": 1.0, "measure": "hum"} | dict.fromkeys(AUDITED, 1.0)
    audit = pd.DataFrame(measured, index=IDS)
    write_audit(audit, {}, folder / "data/audit.csv")
    (folder / "data/corpus").mkdir()
    audio = folder / "u.flac"
    soundfile.write(audio, np.zeros(24_000), 24_000)
    write_manifest(
        [Entry(name, "train", name, audio=str(audio)) for name in IDS],
        folder / "data/corpus/manifest.csv",
    )
    return folder


@pytest.fixture(scope="module")
def table(project):
    store = FeatureStore(project / "data/features.h5")
    report = read_report(project / "data/features_report.csv")
    plans = read_token_plans(project / "data/alignment/spoken.jsonl")
    return features.describe(store, plans, report, RUN)


@pytest.fixture(scope="module")
def written(project):
    """The project after the stage, and the page."""
    with contextlib.chdir(project):
        inspect.main()
    return (project / "metrics/inspection/features.html").read_text(encoding="utf-8")


def test_the_measures_are_what_they_say(table):
    ordinary = table.loc["u00"]
    assert ordinary["seconds"] == 48 / 40
    assert 100 < ordinary["f0_median_hz"] < 140
    assert ordinary["phones_per_second"] == pytest.approx(10 / 1.2)
    assert ordinary["silence_share"] == 0 and table.at["u07", "silence_share"] == 0.5
    assert table.at["u07", "phones_per_second"] == pytest.approx(10 / 0.6)
    assert ordinary["clipping_share"] < 0.02 < 0.3 < table.at["u05", "clipping_share"]
    assert -35 < ordinary["loudness_lufs"] < -20
    assert table.at["u13", "jumps"] == 2


@pytest.mark.parametrize(
    "measure, first",
    [
        ("seconds", "u03"),
        ("clipping_share", "u05"),
        ("silence_share", "u07"),
        ("phones_per_second", "u09"),
        ("jumps", "u13"),
    ],
)
def test_the_worst_come_first(table, measure, first):
    chosen = next(m for m in features.MEASURES if m.name == measure)
    found = features.worst(table, chosen)
    assert found[0] == first
    assert len(found) == len(set(found)) <= features.WORST


def test_where_nothing_is_bad_nothing_is_shown(table):
    outside = next(m for m in features.MEASURES if m.name == "outside")
    assert features.worst(table, outside) == []


def test_the_page_holds_everything_it_shows(written):
    assert "<script" not in written
    sources = re.findall(r'(?:src|href)="([^"]*)"', written)
    assert sources and all(source.startswith("data:") for source in sources)
    for name in ("u03", "u05", "u07", "u09", "u13"):
        assert f'alt="spectrogram of {name}"' in written
    assert "&lt;u03&gt;" in written and "<u03>" not in written
    assert "no &lt;voiced&gt; frame" in written and "2.0 octave jumps" in written


def test_the_metrics_are_flat(project, written, table):
    metrics = read_json(project / "metrics/inspect.json")
    assert metrics["seconds_median"] == 1.2
    assert metrics["f0_median_hz_p05"] == pytest.approx(table["f0_median_hz"].quantile(0.05), 1e-3)
    assert all(isinstance(value, float | int) for value in metrics.values())


def test_the_page_is_the_same_every_time(project, written):
    with contextlib.chdir(project):
        inspect.main()
    assert (project / "metrics/inspection/features.html").read_text(encoding="utf-8") == written


def test_a_picture_shows_mel_and_f0(project):
    utterance = FeatureStore(project / "data/features.h5")[0]
    uri = bitmap(spectrogram(utterance.mel, utterance.f0, zoom=2))
    image = imread(io.BytesIO(base64.b64decode(uri.partition(",")[2])))
    assert image.shape[:2] == (160, 2 * len(utterance.f0))
    white = (image[:, :, :3] == 1).all(2)
    rows = 159 - np.rint(utterance.f0 / 500 * 160).astype(int)
    assert white[rows, 2 * np.arange(len(rows))].all()
    assert white.sum() == pytest.approx(2 * image.shape[1], rel=0.1)


def test_a_missing_report_names_the_stage_to_run(tmp_path):
    with pytest.raises(InputError, match=r"features_report\.csv.*dvc repro features"):
        read_report(tmp_path / "features_report.csv")


def test_an_utterance_without_a_plan_is_named(project):
    store = FeatureStore(project / "data/features.h5")
    report = read_report(project / "data/features_report.csv")
    with pytest.raises(InputError, match="u00: in the features but not"):
        features.describe(store, [], report, RUN)
