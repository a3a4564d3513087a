"""The tables in which the stages align and features list every utterance."""

from dataclasses import asdict, replace

import pytest

from lbtts.acoustics.measuring import report as features
from lbtts.alignment import report as alignment
from lbtts.errors import InputError

ALIGNED = alignment.Row("a", "", "kaldi", "keep", 100.0, -0.5, -1.25, -3.0, 0.9, 3.0, 0.2, 0.3)
UNALIGNED = alignment.Row("b", 'no path, "short"', "kaldi", None)


def read_back(rows, path):
    alignment.write_report(rows, path)
    return alignment.read_report(path)


def test_alignments_are_read_back_as_they_were_written(tmp_path):
    rows = [ALIGNED, UNALIGNED, replace(ALIGNED, id="c", reason="trust -9.00", status="reject")]
    found = read_back(rows, tmp_path / "report.csv")
    assert [repr(asdict(row)) for row in found] == [repr(asdict(row)) for row in rows]
    assert [row.accepted for row in found] == [True, False, False]


def test_a_second_backend_has_a_column_only_where_there_was_one(tmp_path):
    path = tmp_path / "report.csv"
    read_back([ALIGNED], path)
    header, row = path.read_text(encoding="utf-8").splitlines()
    assert header == (
        "id,status,reason,backend,verdict,beam,trust,score,worst,duration_z_mean,duration_z_max,"
        "longest_phone,longest_silence,shortest_share,rate"
    )
    assert row == "a,ok,,kaldi,keep,100.0,-0.5,-1.25,-3.0,0.9,3.0,0.2,0.3,,"
    apart = replace(ALIGNED, disagreement_ms=7.5)
    assert [row.disagreement_ms for row in read_back([apart], path)] == [7.5]
    assert path.read_text(encoding="utf-8").splitlines()[0].endswith(",rate,disagreement_ms")


def test_the_figures_of_a_report_leave_out_what_nobody_measured():
    assert alignment.summary([UNALIGNED]) == {"aligned": 0, "rejected": 1, "suspect": 0}
    figures = alignment.summary([ALIGNED, UNALIGNED, replace(ALIGNED, status="suspect")])
    assert (figures["aligned"], figures["rejected"], figures["suspect"]) == (2, 1, 1)
    assert figures["score_mean"] == -1.25 and "rate" not in figures


@pytest.mark.parametrize("old, new", [(",keep,", ",good,"), ("-1.25", "low"), ("score", "points")])
def test_a_report_that_align_did_not_write_is_refused(tmp_path, old, new):
    path = tmp_path / "report.csv"
    alignment.write_report([ALIGNED], path)
    path.write_text(path.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
    with pytest.raises(
        InputError, match=r"report\.csv: (damaged|no column) .*dvc repro -s -f align"
    ):
        alignment.read_report(path)


def test_features_are_read_back_as_they_were_written(tmp_path):
    path = tmp_path / "features_report.csv"
    rows = [
        features.Row("a", "", "", 0.5, 0.0, 0.25),
        features.Row("b", "", "2.0 octave jumps", 0.5, 0.1234, 2.0),
        features.Row("c", "no voiced frame, none"),
    ]
    features.write_report(rows, path)
    assert list(map(repr, features.read_report(path))) == list(map(repr, rows))
    assert path.read_text(encoding="utf-8").splitlines() == [
        "id,status,reason,suspicion,voiced,outside,jumps",
        "a,ok,,,0.5000,0.0000,0.2500",
        "b,ok,,2.0 octave jumps,0.5000,0.1234,2.0000",
        'c,rejected,"no voiced frame, none",,,,',
    ]


def test_a_report_that_features_did_not_write_is_refused(tmp_path):
    path = tmp_path / "features_report.csv"
    path.write_text("id,status,reason\na,ok,\n", encoding="utf-8")
    with pytest.raises(
        InputError, match=r"features_report\.csv: no column 'voiced'; .*repro -s -f features"
    ):
        features.read_report(path)
