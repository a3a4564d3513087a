import json
import re
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from lbtts.alignment import mfa, textgrid
from lbtts.errors import InputError, Reject
from lbtts.params import MFA
from lbtts.text.phones import canonical
from lbtts.text.tokens import Phone, Plan

# Behaves as MFA 3.4.3 does: reads audio and .lab, divides the time equally among the phones,
# leaves silence before and after. The environment variable FAULT chooses what goes wrong.
STAND_IN = r"""
import json, os, sys
from pathlib import Path
fault = os.environ.get("FAULT", "")
names = ["num_jobs", "output_format", "beam", "retry_beam", "output_directory"]
verb, arguments, options, places = sys.argv[1], iter(sys.argv[2:]), {}, []
for word in arguments:
    if word.startswith("--"):
        options[word[2:]] = next(arguments) if word[2:] in names else True
    else:
        places.append(word)
corpus, dictionary = map(Path, places[:2])
out = Path(options["output_directory"] if verb == "train" else places[3])
Path(os.environ["SEEN"]).write_text(json.dumps({
    "verb": verb, "options": options, "places": places, "state": os.environ["MFA_ROOT_DIR"],
    "hash": os.environ.get("PYTHONHASHSEED"),
    "fresh": not Path(os.environ["MFA_ROOT_DIR"]).exists() and not out.exists(),
    "labs": {p.stem: p.read_text(encoding="utf-8") for p in sorted(corpus.rglob("*.lab"))},
    "clips": sorted(p.name for p in corpus.rglob("*.flac") if p.exists()),
}))
Path(os.environ["MFA_ROOT_DIR"]).mkdir(parents=True, exist_ok=True)
if fault == "usage" or not dictionary.exists():
    width = int(os.environ["COLUMNS"]) - 4
    text = "Invalid value for 'DICTIONARY_PATH': FileArgumentNotFoundError: Could not find "
    text += str(dictionary)
    lines = [text[k:k + width] for k in range(0, len(text), width)]
    sys.stderr.write("Usage: mfa align [OPTIONS]\n╭─ Error " + "─" * (width - 6) + "╮\n")
    sys.stderr.write("".join(f"│ {line:{width}} │\n" for line in lines))
    sys.stderr.write("╰" + "─" * (width + 2) + "╯\n")
    sys.exit(2)
if fault == "nothing":
    sys.stderr.write("INFO Aligning\nTraceback (most recent call last):\n  raise\n"
                     "NoAlignmentsError: There were no successful alignments for 2 utterances.\n"
                     "Consider a larger beam than 10\n")
    sys.exit(1)
entries = dict(l.split("\t") for l in dictionary.read_text(encoding="utf-8").splitlines())
for lab in sorted(corpus.rglob("*.lab")):
    if fault == "missing" and lab.stem == "b":
        continue
    words = lab.read_text(encoding="utf-8").replace("'", "' ").split()
    words = [(w, entries[w].split() if w in entries else ["spn"]) for w in words]
    if fault == "other":
        words = [(w, ["m", *p]) for w, p in words]
    xmax, at, tiers = 1.0, 0.1, {"words": [(0.0, 0.1, "")], "phones": [(0.0, 0.1, "")]}
    step = 0.8 / sum(len(p) for _, p in words)
    for word, phones in words:
        begin = at
        for phone in phones:
            tiers["phones"].append((at, at + step, phone))
            at += step
        tiers["words"].append((begin, at, word))
    text = 'File type = "ooTextFile"\nObject class = "TextGrid"\n\nxmin = 0 \nxmax = 1.0 \n'
    text += "tiers? <exists> \nsize = 2 \nitem []: \n"
    for number, (name, rest) in enumerate(tiers.items(), 1):
        rest = [*rest, (at, xmax, "")]
        text += f'    item [{number}]:\n        class = "IntervalTier" \n        name = "{name}" \n'
        text += f"        xmin = 0 \n        xmax = 1.0 \n        intervals: size = {len(rest)} \n"
        for k, (start, stop, label) in enumerate(rest, 1):
            text += f"        intervals [{k}]:\n            xmin = {start:.6f} \n"
            text += f'            xmax = {stop:.6f} \n            text = "{label}" \n'
    grid = out / lab.relative_to(corpus).with_suffix(".TextGrid")
    grid.parent.mkdir(parents=True, exist_ok=True)
    grid.write_text(text, encoding="utf-8")
"""


def plan(name, *pronunciations):
    words = tuple(word for word, _ in pronunciations)
    phones = tuple(
        Phone(label, number)
        for number, (_, labels) in enumerate(pronunciations)
        for label in labels.split()
    )
    return Plan(name, "", words, phones, ())


PLANS = [
    plan("a", ("d'", "d"), ("zäit", "ʦ æːɪ t"), ("ass", "ɑ s")),
    plan("b", ("ass", "ɑ s"), ("zäit", "ʦ æːɪ t")),
]


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A folder with two clips of a second, a dictionary and the stand-in."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DVC_ROOT", raising=False)
    monkeypatch.setenv("SEEN", str(tmp_path / "seen.json"))
    for name in "ab":
        soundfile.write(f"{name}.flac", np.zeros(24_000, np.int16), 24_000)
    Path("lexicon.dict").write_text("ass\tɑ s\nd'\td\nzäit\tt s æːɪ_E t\n", encoding="utf-8")
    Path("stand_in.py").write_text(STAND_IN, encoding="utf-8")
    return tmp_path


def run(project, plans=PLANS, dictionary="lexicon.dict", **changes):
    choice = {
        "command": f"{sys.executable} {project / 'stand_in.py'}",
        "acoustic_model": "luxembourgish_mfa",
        "dictionary": None,
        "beam": 10,
        "retry_beam": 40,
    }
    audio = {p.id: f"{p.id}.flac" for p in plans}
    choice = MFA(**(choice | changes))
    return dict(mfa.align(plans, audio, Path(dictionary), choice, 2, Path("scratch")))


def seen(project):
    return json.loads((project / "seen.json").read_text(encoding="utf-8"))


def test_phones_come_back_under_canonical_labels_where_they_are_heard(project):
    found = run(project)["a"]
    assert [p.label for p in found.phones] == ["d", "t", "s", "æːɪ", "t", "ɑ", "s"]
    assert found.seconds == 1.0
    lead = 0.0075  # by which MFA's boundaries are early
    assert found.phones[0].start == pytest.approx(0.1 + lead, abs=1e-5)
    assert found.phones[-1].end == pytest.approx(0.9 + lead, abs=1e-5)
    assert found.phones[2].end == pytest.approx(0.1 + 3 * 0.8 / 7 + lead, abs=1e-5)


def test_the_ends_of_a_clip_stay_where_they_are(tmp_path):
    from lbtts.alignment.textgrid import Alignment, Interval

    path = tmp_path / "a.TextGrid"
    phones = (Interval(0, 0.5, "a"), Interval(0.5, 1, "s"))
    textgrid.write(Alignment((), phones, 1.0), path)
    found = mfa._checked(path)
    assert [(p.start, p.end) for p in found.phones] == [(0, 0.5075), (0.5075, 1)]


def test_a_given_model_is_used_with_all_processes(project):
    run(project)
    call = seen(project)
    assert call["verb"] == "align"
    assert call["places"][2] == "luxembourgish_mfa"
    assert call["options"]["num_jobs"] == "2"


def test_training_repeats_because_it_takes_one_process_and_a_fixed_hash_seed(project):
    first, second = run(project, acoustic_model=None), run(project, acoustic_model=None)
    call = seen(project)
    assert call["verb"] == "train"
    assert (call["options"]["num_jobs"], call["hash"]) == ("1", "0")
    assert first == second


def test_every_run_starts_without_state(project):
    run(project)
    before = seen(project)
    run(project)
    after = seen(project)
    assert before["fresh"] and after["fresh"]
    assert before["options"]["clean"]


def test_the_corpus_folder_holds_clips_and_transcripts_with_clitics_joined(project):
    run(project)
    call = seen(project)
    assert call["clips"] == ["a.flac", "b.flac"]
    assert call["labs"] == {"a": "d'zäit ass\n", "b": "ass zäit\n"}


def test_an_absent_command_names_the_remedies(project):
    with pytest.raises(InputError, match=r"environment-mfa\.yml.*align\.backend: kaldi"):
        run(project, command="mfa-that-is-nowhere")


def test_a_usage_error_becomes_one_line_and_its_log_stays(project, monkeypatch):
    monkeypatch.setenv("FAULT", "usage")
    with pytest.raises(InputError, match=r"Could not find lexicon\.dict") as caught:
        run(project)
    message = str(caught.value)
    assert "\n" not in message and "│" not in message
    assert Path(re.search(r"log: (.*)\)$", message)[1]).is_file()


def test_a_crash_is_told_by_the_line_that_names_the_error(project, monkeypatch):
    monkeypatch.setenv("FAULT", "nothing")
    with pytest.raises(InputError, match="NoAlignmentsError: There were no"):
        run(project)


def test_a_message_is_whole_however_long_its_path(project):
    deep = "/".join(["deep-inside"] * 30) + "/x.dict"
    with pytest.raises(InputError, match=f"Could not find {deep}"):
        run(project, dictionary=deep)


def test_a_command_that_is_no_command_line_is_named(project):
    with pytest.raises(InputError, match=r"align\.mfa\.command: `mfa 'x`: No closing quotation"):
        run(project, command="mfa 'x")


def test_an_alignment_of_an_earlier_run_does_not_survive(project, monkeypatch):
    run(project)
    monkeypatch.setenv("FAULT", "missing")
    found = run(project)
    assert isinstance(found["b"], Reject)
    assert not list(Path("scratch").rglob("b.TextGrid"))


def test_phones_outside_the_contract_are_rejected_by_name(project):
    Path("own.dict").write_text("ass\tA1 s\nd'\td\nzäit\tt s æːɪ t\n", encoding="utf-8")
    found = run(project, dictionary="own.dict")
    assert "phone 'A1' is not in the phoneme contract" in str(found["a"])


def test_an_utterance_without_textgrid_is_rejected_alone(project, monkeypatch):
    monkeypatch.setenv("FAULT", "missing")
    found = run(project)
    assert isinstance(found["b"], Reject) and "left it out" in str(found["b"])
    assert not isinstance(found["a"], Reject)


def test_an_unknown_word_is_rejected_by_name(project):
    soundfile.write("c.flac", np.zeros(24_000, np.int16), 24_000)
    found = run(project, [*PLANS, plan("c", ("haus", "h æːʊ s"))])
    assert "'haus'" in str(found["c"])
    assert not isinstance(found["a"], Reject)


def test_other_phones_than_the_plans_come_back_as_they_were_heard(project, monkeypatch):
    monkeypatch.setenv("FAULT", "other")
    labels = [p.label for p in run(project)["b"].phones]
    assert labels == ["m", "ɑ", "s", "m", "t", "s", "æːɪ", "t"]


def test_real_grids_of_mfa_are_read_in_canonical_phones(shared):
    for path in sorted(shared("mfa", "textgrids").glob("*.TextGrid")):
        grid, found = textgrid.read(path), mfa._checked(path)
        assert [p.label for p in found.phones] == [canonical([p.label])[0] for p in grid.phones]
        assert found.seconds == grid.seconds
