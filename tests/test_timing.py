import pytest

from lbtts.alignment.timing import Timing, read_timings, write_timings
from lbtts.errors import InputError, Reject

HEADER = "id,status,reason,units,cuts\n"


def test_what_is_written_is_read_back_but_for_the_rejects(tmp_path):
    path = tmp_path / "durations.csv"
    timings = [Timing("a", (1, 50)), Timing("b", (2, 3), ((600, 1200), (6000, 6600)))]
    write_timings([timings[0], ("x", Reject("too short, too")), timings[1]], path)
    assert read_timings(path) == timings
    assert (
        path.read_bytes()
        == (
            HEADER + 'a,ok,,1 50,\nx,rejected,"too short, too",,\nb,ok,,2 3,600:1200;6000:6600\n'
        ).encode()
    )


def test_timings_are_the_accepted_rows_sorted_by_id(tmp_path):
    path = tmp_path / "durations.csv"
    path.write_text(
        HEADER + "b,ok,,3 4,600:1200;6000:6600\nc,rejected,too short,,\na,ok,,1 50 2,\n"
    )
    assert read_timings(path) == [
        Timing("a", (1, 50, 2)),
        Timing("b", (3, 4), ((600, 1200), (6000, 6600))),
    ]


def test_missing_durations_name_the_stage_to_run(tmp_path):
    with pytest.raises(InputError, match=r"durations\.csv: not found; run `dvc repro durations`"):
        read_timings(tmp_path / "durations.csv")


@pytest.mark.parametrize("row", ["a,ok,,3 x,", "a,ok,,3 4,600", "a,ok,,3 4,600:y"])
def test_a_damaged_row_of_durations_is_named(tmp_path, row):
    path = tmp_path / "durations.csv"
    path.write_text(HEADER + row + "\n")
    with pytest.raises(
        InputError, match=r"durations\.csv: damaged \(a: .*dvc repro -s -f durations"
    ):
        read_timings(path)
