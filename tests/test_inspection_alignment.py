import base64
import io
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
import soundfile

from lbtts.alignment import textgrid
from lbtts.alignment.report import Row, read_report, write_report
from lbtts.alignment.textgrid import from_phones
from lbtts.corpus.manifest import Entry
from lbtts.errors import InputError
from lbtts.inspection.alignment import page, worst_first
from tests.tones import corpus


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Twenty utterances; u03 has no alignment, u05 is the most doubtful one."""
    folder = tmp_path_factory.mktemp("inspection")
    plans, _, truth = corpus(folder, 20)
    rows = []
    for k, plan in enumerate(plans):
        row = Row(plan.id, "", "kaldi", "keep", confidence=-k / 100)
        if plan.id == "u03":
            row = Row(plan.id, "no <path>", "kaldi", None)
        else:
            ends = [*truth[plan.id][1:], truth[plan.id][-1] + 0.05]
            phones = [
                textgrid.Interval(begin, end, phone.label)
                for begin, end, phone in zip(truth[plan.id], ends, plan.phones, strict=True)
            ]
            seconds = soundfile.info(folder / f"{plan.id}.flac").duration
            grid = from_phones(plan, phones, seconds)
            textgrid.write(grid, folder / f"{plan.id}.TextGrid")
        if plan.id == "u05":
            row = replace(row, status="suspect", reason="confidence -3.00", confidence=-3.0)
        rows.append(row)
    write_report(rows, folder / "report.csv")
    return folder


def html_of(folder):
    names = [f"u{k:02d}" for k in range(20)]
    entries = {n: Entry(n, "train", "Gudde Moien", audio=str(folder / f"{n}.flac")) for n in names}
    report = read_report(folder / "report.csv")
    return page(report, entries, folder, Path("data/corrections"), "Alignment of tones")


def test_the_worst_come_first_and_those_without_alignment_before_them(folder):
    worst = worst_first(read_report(folder / "report.csv"))
    assert [row.id for row in worst[:3]] == ["u03", "u05", "u19"]
    shown = re.findall(r'<div class="utterance" id="(\w+)"', html_of(folder))
    assert shown[:3] == ["u03", "u05", "u19"] and len(shown) == 16


def test_the_table_lists_only_suspect_rejected_and_unaligned(folder):
    table = html_of(folder).split("not aligned: 2")[1]
    assert re.findall(r"<td>(u\d\d)</td>", table) == ["u03", "u05"]
    assert "no &lt;path&gt;" in table


def test_the_page_is_one_file_with_sounds_and_pictures_inside(folder):
    class Sources(HTMLParser):
        def __init__(self):
            super().__init__()
            self.found = []

        def handle_starttag(self, tag, attributes):
            self.found += [(tag, v) for k, v in attributes if k in ("src", "href")]

    sources = Sources()
    sources.feed(html_of(folder))
    assert all(value.startswith("data:") for _, value in sources.found)
    sounds = [value for tag, value in sources.found if tag == "audio"]
    assert len(sounds) == 16
    audio, rate = soundfile.read(io.BytesIO(base64.b64decode(sounds[0].split(",")[1])))
    original, _ = soundfile.read(folder / "u03.flac")
    assert rate == 24_000 and np.abs(audio - original).max() < 1e-3


def test_equal_input_gives_an_equal_page(folder):
    assert html_of(folder) == html_of(folder)


def test_a_missing_report_names_the_stage(tmp_path):
    with pytest.raises(InputError, match="dvc repro align"):
        read_report(tmp_path / "report.csv")
