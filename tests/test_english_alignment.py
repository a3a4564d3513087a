"""LJSpeech's eight utterances with TextGrids in their published form, from text to durations."""

import contextlib
import shutil
from pathlib import Path

import pytest
import soundfile

from lbtts import paths
from lbtts.alignment.report import read_report
from lbtts.alignment.timing import read_timings
from lbtts.corpus.manifest import read_manifest
from lbtts.errors import InputError
from lbtts.text.tokens import read_token_plans
from stages import align, corpus, durations, g2p, lexicon
from tests import published

TEXTGRIDS = Path("data/raw/ljspeech/textgrids")


def parameters(root: Path, backend: str) -> str:
    """The profile, for one process and a corpus in which one fault is an eighth."""
    text = (root / "profiles/english.yaml").read_text(encoding="utf-8")
    for old, new in (
        ("backend: textgrid", f"backend: {backend}"),
        ("jobs: 0", "jobs: 1"),
        ("max_rejected: 0.05", "max_rejected: 0.5"),
    ):
        assert old in text
        text = text.replace(old, new, 1)
    return text


@pytest.fixture(scope="module")
def sample(shared, root, tmp_path_factory):
    """The sample after `align` by Kaldi: ids, recordings, plans, and a place for its grids."""
    folder = tmp_path_factory.mktemp("ljspeech")
    raw = folder / "data/raw/ljspeech"
    raw.mkdir(parents=True)
    for name in ("metadata.csv", "wavs"):
        (raw / name).symlink_to(shared("ljspeech_sample", name))
    (folder / "data/corrections").mkdir()
    shutil.copy(root / "data/additions.tsv", folder / "data")
    (folder / "params.yaml").write_text(parameters(root, "kaldi"), encoding="utf-8")
    with contextlib.chdir(folder):
        for stage in (corpus, lexicon, g2p, align):
            stage.main()
        shutil.copytree(paths.ALIGNMENT, "aligned")
    (folder / "params.yaml").write_text(parameters(root, "textgrid"), encoding="utf-8")
    return folder


def publish(**form) -> dict:
    """Writes the grids in some form; returns the plans that they spell, by id."""
    plans = {plan.id: plan for plan in read_token_plans("aligned/spoken.jsonl")}
    files = sorted(Path("data/raw/ljspeech/wavs").iterdir())
    seconds = {path.stem: soundfile.info(path).duration for path in files}
    shutil.rmtree(TEXTGRIDS, ignore_errors=True)
    late = form.pop("ends_late_by", 0.0)
    recordings = {name: length + late for name, length in seconds.items()}
    entries = read_manifest(paths.MANIFEST)
    published.write(
        plans.values(), entries, Path("aligned"), TEXTGRIDS, recordings=recordings, **form
    )
    return plans


def test_all_eight_come_through_durations_and_no_unit_is_lost(sample):
    with contextlib.chdir(sample):
        plans = publish()
        align.main()
        durations.main()
        timings = read_timings(paths.DURATIONS)
        assert [timing.id for timing in timings] == sorted(plans) and len(plans) == 8
        entries = read_manifest(paths.MANIFEST)
        spoken = {plan.id: plan for plan in read_token_plans(paths.SPOKEN)}
        for timing in timings:
            cut = sum(end - begin for begin, end in timing.cuts)
            assert 600 * sum(timing.units) == entries[timing.id].samples - cut
            assert len(timing.units) == len(spoken[timing.id].input_ids)
            # ARPAbet tells less than misaki: the finer phones are the plan's.
            assert spoken[timing.id].phonemes == plans[timing.id].phonemes


@pytest.mark.parametrize(
    "form",
    [
        {"form": "short_textgrid"},
        {"words": False},
        {"digits": False},
        {"ends_late_by": 0.017},
        {"ends_late_by": -0.017},
    ],
    ids=str,
)
def test_other_forms_of_the_grids_are_read_too(sample, form):
    with contextlib.chdir(sample):
        plans = publish(**form)
        align.main()
        durations.main()
        assert {timing.id for timing in read_timings(paths.DURATIONS)} == set(plans)


def test_missing_grids_are_listed_one_by_one(sample):
    with contextlib.chdir(sample):
        publish()
        (TEXTGRIDS / "LJ001-0004.TextGrid").unlink()
        align.main()
        (rejected,) = (row for row in read_report(paths.ALIGNMENT_REPORT) if not row.accepted)
        assert rejected.id == "LJ001-0004"
        assert "LJ001-0004.TextGrid: not found; put it there" in rejected.reason
        shutil.rmtree(TEXTGRIDS)
        with pytest.raises(
            InputError, match=r"textgrids: not found; align.backend: textgrid needs"
        ):
            align.main()


def test_a_grid_with_a_phone_that_english_lacks_is_rejected_with_the_place_to_map_it(sample):
    with contextlib.chdir(sample):
        publish()
        path = TEXTGRIDS / "LJ001-0002.TextGrid"
        path.write_text(path.read_text(encoding="utf-8").replace('"B"', '"QX"'), encoding="utf-8")
        align.main()
        (rejected,) = (row for row in read_report(paths.ALIGNMENT_REPORT) if not row.accepted)
        assert (
            "'QX' is not in the phone inventory; map it in lbtts/languages/english/phones.py"
            in (rejected.reason)
        )
