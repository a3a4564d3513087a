import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
import zipfile
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from lbtts.alignment import mfa, mfa_log, textgrid
from lbtts.alignment.mfa_models import Lexicon
from lbtts.alignment.textgrid import Alignment, Interval
from lbtts.corpus.manifest import Entry
from lbtts.errors import InputError, Reject
from lbtts.languages.luxembourgish.phones import INVENTORY, canonical
from lbtts.params import MFA
from lbtts.scratch import scratch
from lbtts.text.tokens import Phone, TokenPlan

STAND_IN = Path(__file__).with_name("stand_in_mfa.py")


def plan(name, *pronunciations):
    words = tuple(word for word, _ in pronunciations)
    phones = tuple(
        Phone(label, number)
        for number, (_, labels) in enumerate(pronunciations)
        for label in labels.split()
    )
    return TokenPlan(name, "", words, phones, ())


PLANS = [
    plan("a", ("d'", "d"), ("zäit", "ʦ æːɪ t"), ("ass", "ɑ s")),
    plan("b", ("ass", "ɑ s"), ("zäit", "ʦ æːɪ t")),
]


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A folder with two utterances of a second, a dictionary, and no downloads of MFA."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DVC_ROOT", raising=False)
    monkeypatch.setenv("SEEN", str(tmp_path / "seen.jsonl"))
    monkeypatch.setenv("MFA_ROOT_DIR", str(tmp_path / "own"))
    for name in "ab":
        write_audio(name, hiss(24_000))
    Path("lexicon.dict").write_text("ass\tɑ s\nd'\td\nzäit\tt s æːɪ_E t\n", encoding="utf-8")
    return tmp_path


def hiss(samples):
    """Recorded silence: a few bits of noise."""
    return np.random.default_rng(0).integers(-9, 10, samples).astype(np.int16)


def write_audio(name, samples):
    soundfile.write(f"{name}.flac", samples, 24_000)


def write_model(path, phones="ɑ s d t æːɪ_E"):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("model/meta.json", json.dumps({"phones": phones.split()}))
    return str(path)


def run(project, plans=PLANS, lexicon="lexicon.dict", **changes):
    choice = {
        "command": f"{sys.executable} {STAND_IN}",
        "acoustic_model": None,
        "dictionary": None,
        "jobs": None,
        "beam": 10,
        "retry_beam": 40,
    }
    entries = {p.id: Entry(p.id, "train", "", audio=f"{p.id}.flac") for p in plans}
    choice = MFA(**(choice | changes))
    return dict(mfa.align(plans, entries, Path(lexicon), INVENTORY, choice, 2, Path("scratch")))


def seen(project):
    """The calls of MFA, in order."""
    lines = (project / "seen.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def test_phones_come_back_under_canonical_labels_where_they_were_spoken(project):
    found = run(project)["a"]
    assert [p.label for p in found.phones] == ["d", "t", "s", "æːɪ", "t", "ɑ", "s"]
    assert found.seconds == 1.0
    lead = 0.0075  # by which MFA's boundaries are early
    assert found.phones[0].start == pytest.approx(0.1, abs=1e-5)  # after a silence
    assert found.phones[0].end == pytest.approx(0.11 + lead, abs=1e-5)  # phones of a single frame


def test_the_ends_of_an_utterance_stay_where_they_are(tmp_path):
    found = checked(tmp_path, [(0, 0.5, "a"), (0.5, 1, "s")], 1.0)
    assert [(p.start, p.end) for p in found.phones] == [(0, 0.5075), (0.5075, 1)]


def test_a_phone_after_a_silence_begins_where_mfa_says(tmp_path):
    found = checked(tmp_path, [(0.1, 0.2, "a"), (0.2, 0.3, "s"), (0.5, 0.6, "u")], 1.0)
    assert [p.start for p in found.phones] == pytest.approx([0.1, 0.2075, 0.5])
    assert [p.end for p in found.phones] == pytest.approx([0.2075, 0.3075, 0.6075])


def checked(folder, phones, seconds):
    path = folder / "a.TextGrid"
    textgrid.write(Alignment((), tuple(Interval(*phone) for phone in phones), seconds), path)
    return mfa._checked(path, Lexicon(folder / "none.yaml", folder / "none.zip"), None, INVENTORY)


def test_a_last_phone_shorter_than_the_shift_keeps_some_length(tmp_path):
    found = checked(tmp_path, [(9.8, 9.96, "a"), (9.96, 9.97, "t"), (9.97, 9.975, "s")], 9.975)
    textgrid.write(Alignment((), found.phones, found.seconds), tmp_path / "b.TextGrid")
    again = textgrid.read(tmp_path / "b.TextGrid")
    assert [p.label for p in again.phones] == ["ɑ", "t", "s"]
    assert all(p.end - p.start > 0.002 for p in again.phones)
    assert again.phones[-1].end == 9.975


@given(ends=st.lists(st.integers(1, 2000), min_size=1, unique=True), rest=st.floats(0, 0.0099))
def test_the_shift_keeps_every_phone_and_their_order(ends, rest):
    seconds = max(ends) / 100 + rest
    times = [0.0, *(end / 100 for end in sorted(ends)), seconds]
    moved = [mfa._moved(time, seconds) for time in times]
    assert moved[0] == 0 and moved[-1] == seconds
    assert all(
        after > before or a == b
        for (before, after), (a, b) in zip(pairwise(moved), pairwise(times), strict=True)
    )
    assert all(0 <= new - old <= 0.0075 + 1e-9 for old, new in zip(times, moved, strict=True))


def test_without_a_model_one_is_trained_and_then_aligned_with(project):
    found = run(project)
    train, align = seen(project)
    assert (train["verb"], align["verb"]) == ("train", "align")
    assert align["places"][2] == train["places"][2] and train["places"][2].endswith("model.zip")
    assert "output_directory" not in train["options"]  # its own alignments are not taken
    assert found["a"].score == -40 and found["b"].score == -40.125


def test_training_repeats_because_it_takes_one_process_and_a_fixed_hash_seed(project):
    first, second = run(project), run(project)
    train, align = seen(project)[:2]
    assert (train["options"]["num_jobs"], train["hash"]) == ("1", "0")
    assert align["options"]["num_jobs"] == "2"
    assert first == second


def test_a_given_model_is_used_with_as_many_processes_as_wanted(project):
    model = write_model(project / "mine.zip")
    run(project, acoustic_model=model)
    run(project, acoustic_model=model, jobs=5)
    first, second = seen(project)
    assert first["verb"] == second["verb"] == "align"
    assert first["places"][2] == model
    assert (first["options"]["num_jobs"], second["options"]["num_jobs"]) == ("2", "5")


def test_the_beams_reach_both_commands_as_settings_after_the_places(project):
    run(project, beam=7, retry_beam=70)
    for call in seen(project):
        assert call["settings"] == {"--beam": 7, "--retry_beam": 70}
        assert Path(call["places"][0]).name == "corpus"


def test_the_stand_in_refuses_what_mfa_refuses_and_what_it_would_ignore(project):
    def status(*arguments):
        command = [sys.executable, STAND_IN, "align", *arguments]
        done = subprocess.run(command, capture_output=True, text=True, env=os.environ | {
            "MFA_ROOT_DIR": "root", "COLUMNS": "200"})  # fmt: skip
        return done.returncode, done.stderr

    Path("corpus").mkdir()
    write_model(Path("m.zip"))
    places = ["corpus", "lexicon.dict", "m.zip", "out"]
    code, said = status("--beam", "10", *places)
    assert code == 2 and "Invalid value for 'CORPUS_DIRECTORY'" in said
    assert status(*places, "--beam", "10")[0] == 0
    for wrong in (
        ["--beam", "wide"],
        ["--num_jobs", "two"],
        ["--memory", "4"],
        ["--output_format", "x"],
    ):
        assert status(*places, *wrong)[0] == 2, wrong


def test_an_utterance_with_digital_silence_gets_noise_of_one_bit_and_others_are_left_alone(
    project, monkeypatch
):
    speech = hiss(24_000)
    speech[:3600] = 0
    write_audio("b", speech)
    before = Path("b.flac").read_bytes()
    monkeypatch.setenv("FAULT", "killed")  # so that the corpus folder stays
    with pytest.raises(InputError):
        run(project)
    folder = Path("scratch/corpus/speaker")
    assert (folder / "a.flac").is_symlink() and not (folder / "b.flac").is_symlink()
    noisy = soundfile.read(folder / "b.flac", dtype="int16")[0]
    difference = noisy - speech
    assert set(difference.tolist()) == {-1, 0, 1} and np.ptp(noisy[:240]) > 0
    assert Path("b.flac").read_bytes() == before
    with pytest.raises(InputError):
        run(project)
    assert np.array_equal(soundfile.read(folder / "b.flac", dtype="int16")[0], noisy)


def test_a_constant_is_digital_silence_too_and_full_scale_does_not_overflow(project, monkeypatch):
    write_audio("b", np.full(24_000, 2**15 - 1, np.int16))
    monkeypatch.setenv("FAULT", "killed")
    with pytest.raises(InputError):
        run(project)
    noisy = soundfile.read("scratch/corpus/speaker/b.flac", dtype="int16")[0]
    assert set(noisy.tolist()) == {2**15 - 1, 2**15 - 2}


def test_utterances_padded_with_zeros_are_aligned(project):
    padded = hiss(24_000)
    padded[:3600] = padded[-3600:] = 0
    write_audio("a", padded)
    assert not isinstance(run(project)["a"], Reject)  # the stand-in leaves out silent edges


def test_an_utterance_that_is_not_audio_is_rejected_alone(project):
    Path("b.flac").write_bytes(b"no audio")
    found = run(project)
    assert isinstance(found["b"], Reject) and "not audio" in str(found["b"])
    assert not isinstance(found["a"], Reject)
    Path("a.flac").write_bytes(b"")
    assert all(isinstance(result, Reject) for result in run(project).values())


def test_a_model_and_a_dictionary_may_be_named_as_mfa_downloads_them(project):
    for kind, file in (("acoustic", "lb_mfa.zip"), ("dictionary", "lb_mfa.dict")):
        folder = project / "own/pretrained_models" / kind
        folder.mkdir(parents=True)
        if kind == "acoustic":
            write_model(folder / file)
        else:
            shutil.copy("lexicon.dict", folder / file)
    run(project, acoustic_model="lb_mfa", dictionary="lb_mfa")
    (call,) = seen(project)
    assert call["places"][1:3] == [
        str(project / "own/pretrained_models/dictionary/lb_mfa.dict"),
        str(project / "own/pretrained_models/acoustic/lb_mfa.zip"),
    ]
    assert call["state"] != str(project / "own")  # where the run's own data do not belong


@pytest.mark.parametrize("kind", ["acoustic", "dictionary"])
def test_an_unknown_name_is_refused_with_what_there_is(project, kind):
    key = "acoustic_model" if kind == "acoustic" else kind
    with pytest.raises(
        InputError, match=rf"align\.mfa\.{key}: 'lb' is not a file.*empty or absent"
    ):
        run(project, **{key: "lb"})
    folder = project / "own/pretrained_models" / kind
    folder.mkdir(parents=True)
    write_model(folder / "german_mfa.zip")
    shutil.copy("lexicon.dict", folder / "german_mfa.dict")
    remedy = rf"has german_mfa; .*mfa model download {kind}"
    with pytest.raises(InputError, match=remedy):
        run(project, **{key: "lb"})
    assert not (project / "seen.jsonl").exists()


def test_every_run_starts_without_state_and_leaves_none(project):
    run(project)
    run(project)
    assert [call["fresh"] for call in seen(project)] == [True] * 4
    assert all(call["options"]["clean"] for call in seen(project))
    assert not Path("scratch").exists()


def test_the_corpus_folder_holds_clips_and_transcripts_with_clitics_joined(project):
    run(project)
    call = seen(project)[0]
    assert call["utterances"] == ["a.flac", "b.flac"]
    assert call["labs"] == {"a": "d'zäit ass\n", "b": "ass zäit\n"}


def test_an_absent_command_names_the_remedies(project):
    with pytest.raises(InputError, match=r"environment-mfa\.yml.*align\.backend: kaldi"):
        run(project, command="mfa-that-is-nowhere")


def test_a_usage_error_becomes_one_line_and_its_log_stays(project):
    with pytest.raises(InputError, match=r'NotFoundError: Could not find ".*none\.dict"') as caught:
        run(project, lexicon="none.dict")
    message = str(caught.value)
    assert "\n" not in message and "│" not in message
    assert Path(re.search(r"log: (.*)\)$", message)[1]).is_file()


def test_a_crash_is_told_by_the_line_that_names_the_error(project, monkeypatch):
    monkeypatch.setenv("FAULT", "nothing")
    with pytest.raises(InputError, match=r"status 1: NoAlignmentsError: There were no .* \(log"):
        run(project)


def test_a_message_is_whole_however_long_its_path(project):
    deep = "/".join(["deep-inside"] * 30) + "/x.dict"
    with pytest.raises(InputError, match=f'Could not find ".*{deep}"'):
        run(project, lexicon=deep)


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
    found = run(project, lexicon="own.dict")
    assert "phone 'A1' is not in the phone inventory" in str(found["a"])


def test_an_utterance_without_textgrid_is_rejected_alone(project, monkeypatch):
    monkeypatch.setenv("FAULT", "missing")
    found = run(project)
    assert isinstance(found["b"], Reject) and "MFA could not align it" in str(found["b"])
    assert not isinstance(found["a"], Reject)


def test_an_unknown_word_is_rejected_by_name(project):
    write_audio("c", hiss(24_000))
    found = run(project, [*PLANS, plan("c", ("haus", "h æːʊ s"))])
    assert "'haus'" in str(found["c"])
    assert not isinstance(found["a"], Reject)


def test_other_phones_than_the_plans_come_back_as_they_were_spoken(project, monkeypatch):
    monkeypatch.setenv("FAULT", "other")
    labels = [p.label for p in run(project)["b"].phones]
    assert labels == ["m", "ɑ", "s", "m", "t", "s", "æːɪ", "t"]


def test_a_word_whose_phones_the_model_lacks_is_not_called_unknown(project, capsys):
    model = write_model(project / "m.zip", phones="ɑ s d t")
    found = run(project, acoustic_model=model)
    assert "acoustic model has no phone 'æːɪ_E', as in 'zäit'" in str(found["b"])
    assert "phones are not in the acoustic model" in capsys.readouterr().out  # MFA's own warning


def test_warnings_of_a_run_that_succeeded_are_shown_once(project, monkeypatch, capsys):
    monkeypatch.setenv("FAULT", "chatty")
    run(project)
    shown = capsys.readouterr().out
    assert shown.count("mfa: There were 1 utterances ignored") == 2  # by each of the two commands


def test_a_dictionary_may_have_blank_lines_and_must_be_readable(tmp_path):
    (tmp_path / "a.dict").write_text("moien 0.9 m oj e n\n\n \n", encoding="utf-8")
    known = Lexicon(tmp_path / "a.dict", tmp_path / "none.zip")
    assert known.why_unknown("äddi").startswith("MFA does not know the word 'äddi'")
    with pytest.raises(InputError, match=r"align\.mfa\.dictionary: .*b\.dict: No such file"):
        Lexicon(tmp_path / "b.dict", tmp_path / "none.zip")


def test_a_signal_is_named_with_what_may_help(project, monkeypatch):
    monkeypatch.setenv("FAULT", "killed")
    said = r"ended by SIGKILL; if memory ran out, lower align\.mfa\.jobs; .*Accumulating statistics"
    with pytest.raises(InputError, match=said):
        run(project)


EXCEPTION = "a.b.CorpusError: CorpusError:\n\nThere were no files.\nMore.\n"
WRAPPED = (
    "shutil.ReadError: x is not a zip file\n\nERROR conda.cli.main_run:execute(9): `x` failed\n"
)


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("ValueError: no phones\n", "ValueError: no phones"),
        (EXCEPTION, "CorpusError: There were no files."),
        (WRAPPED, "shutil.ReadError: x is not a zip file"),
        (" INFO  Setting up\n something else\n", "something else"),
        ("", "no message"),
    ],
)
def test_the_message_of_a_failure_is_the_errors_own(said, told):
    assert mfa_log.failure(1, said) == f"failed with status 1: {told}"


def ends(process_id, seconds=10):
    """Whether a process is gone, or soon is."""
    for _ in range(int(seconds / 0.05)):
        try:
            state = Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            return True
        if state == "Z":
            return True
        time.sleep(0.05)
    return False


STAGE = """
import sys
from pathlib import Path
from lbtts.alignment import mfa
from lbtts.corpus.manifest import Entry
from lbtts.languages.luxembourgish.phones import INVENTORY
from lbtts.params import MFA
from lbtts.scratch import scratch
from tests.test_mfa import PLANS, STAND_IN
choice = MFA(command=f"{sys.executable} {STAND_IN}", acoustic_model=None, dictionary=None,
             jobs=None, beam=10, retry_beam=40)
with scratch("mfa") as folder:
    entries = {p.id: Entry(p.id, "train", "", audio=f"{p.id}.flac") for p in PLANS}
    dictionary = Path("lexicon.dict")
    list(mfa.align(PLANS, entries, dictionary, INVENTORY, choice, 1, folder / "run"))
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_mfa_ends_with_the_stage_and_holds_its_lock_until_then(project, root, monkeypatch, number):
    monkeypatch.setenv("FAULT", "slow")
    monkeypatch.setenv("PYTHONPATH", str(root))
    stage = subprocess.Popen([sys.executable, "-c", STAGE], stderr=subprocess.DEVNULL)
    mark = project / "seen.pid"
    for _ in range(600):
        if mark.exists() and mark.read_text():
            break
        time.sleep(0.05)
    child_id = int(mark.read_text())
    os.kill(stage.pid, signal.SIGSTOP)
    with pytest.raises(InputError, match="another process"), scratch("mfa"):
        pass
    os.kill(stage.pid, number)
    os.kill(stage.pid, signal.SIGCONT)
    stage.wait()
    assert ends(child_id)
    for _ in range(100):  # the keeper follows the command
        with contextlib.suppress(InputError), scratch("mfa"):
            return
        time.sleep(0.05)
    pytest.fail("the lock was not given back")


def test_a_lock_is_held_while_a_command_outlives_its_stage(project, monkeypatch):
    with scratch("mfa") as folder:
        left = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE,
                                close_fds=False)  # fmt: skip
    with pytest.raises(InputError, match="another process"), scratch("mfa"):
        pass
    left.communicate(b"\n")
    with scratch("mfa") as again:
        assert again == folder


def test_an_interruption_ends_mfa_and_says_that_nothing_is_kept(project, monkeypatch):
    monkeypatch.setenv("FAULT", "slow")
    mark = project / "seen.pid"

    def interrupt():
        while not (mark.exists() and mark.read_text()):
            time.sleep(0.05)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=interrupt).start()
    with pytest.raises(InputError, match="MFA keeps no partial results"):
        run(project)
    assert ends(int(mark.read_text()))


def test_real_grids_of_mfa_are_read_in_canonical_phones(shared):
    nothing = Lexicon(Path("none.yaml"), Path("none.zip"))
    for path in sorted(shared("mfa", "textgrids").glob("*.TextGrid")):
        grid, found = textgrid.read(path), mfa._checked(path, nothing, None, INVENTORY)
        assert [p.label for p in found.phones] == [canonical([p.label])[0] for p in grid.phones]
        assert found.seconds == grid.seconds
