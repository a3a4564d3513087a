import json
import subprocess
import sys

import numpy as np
import pytest
import soundfile

from lbtts import Voice, cli
from lbtts.errors import InputError
from lbtts.speaking import recording, subtitles
from lbtts.speaking.recording import record
from lbtts.voice import Manner, names

TEXT = "Moien, wéi geet et? Gutt.\nÄddi [pause:0.5s] dann."


@pytest.fixture(scope="module")
def voice(exported):
    return Voice.load(exported, threads=1)


def test_speaking_needs_no_torch_and_no_parameters(exported):
    script = (
        "import sys; from lbtts import Voice\n"
        f"print(len(Voice.load({str(exported)!r})('Moien.').audio))\n"
        "found = {'torch', 'kokoro', 'pydantic', 'simplemma', 'scipy', 'onnx'} & {*sys.modules}\n"
        "assert not found, found"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) % 600 == 0


def test_chunks_are_sentences_and_silences_one_after_the_other(voice):
    made = list(voice(TEXT, Manner(sentence_pause=0.1, paragraph_pause=0.2)))
    silent = [len(c.audio) / 24_000 for c in made if not c.phonemes]
    assert silent == [0.1, 0.2, 0.5, 0.2]
    lengths = np.cumsum([0] + [len(c.audio) for c in made])
    assert [c.start for c in made] == [n / 24_000 for n in lengths[:-1]]
    told = [word.text for c in made for word in c.words]
    assert told == ["Moien", "wéi", "geet", "et", "Gutt", "Äddi", "dann"]
    assert all(c.start <= w.start <= w.end <= c.start + len(c.audio) / 24_000
               for c in made for w in c.words)  # fmt: skip


def test_the_same_text_gives_the_same_samples_and_speed_changes_the_length(voice):
    assert np.array_equal(voice(TEXT).audio, voice(TEXT).audio)
    assert len(voice("Moien.", Manner(speed=2)).audio) < len(voice("Moien.").audio)


def test_phonemes_can_be_spoken(voice):
    (chunk, _) = voice.say_phonemes("mˈoiən, vɜɪ ɡˈeːt?")
    assert chunk.phonemes == "mˈoiən, vɜɪ ɡˈeːt?"
    assert [word.text for word in chunk.words] == ["mˈoiən", "vɜɪ", "ɡˈeːt"]
    with pytest.raises(InputError, match="Kokoro has no symbol 'g'"):
        list(voice.say_phonemes("gut"))


@pytest.mark.parametrize("ending", ["wav", "flac", "mp3", "ogg", "opus"])
def test_each_format_holds_the_speech(voice, tmp_path, ending):
    speech = voice(TEXT)
    speech.save(tmp_path / f"a.{ending}", tmp_path / "a.json")
    audio, rate = soundfile.read(tmp_path / f"a.{ending}")
    assert rate in (24_000, 48_000)
    assert len(audio) / rate == pytest.approx(len(speech.audio) / 24_000, abs=0.1)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([f"a.{ending}", "a.json"])


def test_an_interrupted_file_goes_on_where_it_was(voice, tmp_path, monkeypatch):
    lines = [TEXT + "\n"] * 3
    list(record(voice(lines), tmp_path / "whole.wav", tmp_path / "whole.srt", "same"))
    path, srt = tmp_path / "a.wav", tmp_path / "a.srt"
    spoken = []
    speak = Voice.speak
    monkeypatch.setattr(
        Voice, "speak", lambda self, text, speed: spoken.append(text) or speak(self, text, speed)
    )
    while not path.exists():  # ended after every second chunk, the last line of the log cut
        for count, _ in enumerate(record(voice(lines), path, srt, "same")):
            if count == 1:
                with path.with_name("a.wav.part.jsonl").open("a") as log:
                    log.write('{"part": 1, "sam')
                break
    assert len(spoken) == 3 * 4
    assert path.read_bytes() == (tmp_path / "whole.wav").read_bytes()
    assert srt.read_text() == (tmp_path / "whole.srt").read_text()
    assert not list(tmp_path.glob("*.part*"))


def test_another_text_does_not_go_on_with_what_was_spoken(voice, tmp_path):
    path = tmp_path / "a.wav"
    next(record(voice(TEXT), path, None, "one"))
    list(record(voice("Gutt."), path, None, "two"))
    assert len(soundfile.read(path)[0]) == len(voice("Gutt.").audio)


def test_subtitles_are_whole_and_in_order(voice, tmp_path):
    for kind in subtitles.KINDS:
        voice(TEXT).save(tmp_path / "a.wav", tmp_path / f"a.{kind}")
    srt = (tmp_path / "a.srt").read_text(encoding="utf-8").split("\n\n")
    assert [block.split("\n")[2] for block in srt if block] == [
        "Moien, wéi geet et?", "Gutt.", "Äddi", "dann.",
    ]  # fmt: skip
    assert srt[0].startswith("1\n00:00:00,")
    vtt = (tmp_path / "a.vtt").read_text(encoding="utf-8")
    assert vtt.startswith("WEBVTT\n\n00:00:00.") and "Moien, <00:00:" in vtt
    words = json.loads((tmp_path / "a.json").read_text(encoding="utf-8"))
    lines = TEXT
    assert [lines[slice(*word["place"])] for word in words] == [word["text"] for word in words]


def run(*arguments, capsys):
    try:
        cli.main([str(argument) for argument in arguments])
    except SystemExit as end:
        return capsys.readouterr(), end.code
    return capsys.readouterr(), 0


def test_the_command_speaks_a_file_and_lists_what_there_is(exported, tmp_path, capsys):
    book = tmp_path / "book.txt"
    book.write_text(TEXT, encoding="utf-8")
    out, code = run("speak", "-m", exported, "-f", book, "-o", tmp_path / "a.ogg", capsys=capsys)
    assert code == 0 and "a.ogg: written" in out.err
    assert soundfile.info(tmp_path / "a.ogg").duration > 1
    out, _ = run("phonemes", "-m", exported, "Moien [Esch](/ˈæʃ/).", capsys=capsys)
    assert out.out == "mˈojən ˈæʃ.\n"
    out, _ = run("normalize", "-m", exported, "Den 1. Mee", capsys=capsys)
    assert out.out == "Den éischte Mee\n"
    out, _ = run("voices", "-m", exported, capsys=capsys)
    assert out.out.split() == names(exported) == ["lb_max"]


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["Moien", "-o", "a.xyz"], "the ending says the format: wav"),
        (["Moien", "-o", "nowhere/a.wav"], "nowhere: no such folder"),
        (["Moien", "-o", "a.wav", "--timestamps", "a.txt"], "are written as .srt"),
        (["Moien", "-o", "a.wav", "--voice", "x"], "no voice 'x'; there are: lb_max"),
        (["Moien", "-o", "a.wav", "--speed", "9"], "speed 9: is not from 0.5 to 2"),
        (["Moien", "-o", "a.wav", "--precision", "int8"], "model_quantized.onnx: not found"),
        (["😀", "-o", "a.wav"], "nothing in the text can be spoken"),
        (["[a](/g/)", "-o", "a.wav"], "Kokoro has no symbol 'g'"),
        (["-f", "missing.txt", "-o", "a.wav"], "missing.txt: No such file"),
        (["-f", "latin.txt", "-o", "a.wav"], "is not UTF-8"),
        (["Moien", "-f", "latin.txt", "-o", "a.wav"], "not both"),
    ],
)
def test_bad_input_is_one_line(exported, tmp_path, capsys, monkeypatch, arguments, complaint):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "latin.txt").write_bytes("wéi".encode("latin-1"))
    _, code = run("speak", "-m", exported, *arguments, capsys=capsys)
    assert complaint in code and code.startswith("error: ") and "\n" not in code
    assert not (tmp_path / "a.wav").exists()


def test_standard_input_is_spoken_and_must_be_utf_8(exported, tmp_path):
    def speak(text):
        command = [sys.executable, "-m", "lbtts.cli", "speak", "-m", str(exported), "-o", "-"]
        return subprocess.run(command, input=text, capture_output=True)

    done = speak("Wéi?".encode())
    assert done.returncode == 0 and done.stdout.startswith(b"RIFF\xff\xff\xff\xffWAVE")
    assert (len(done.stdout) - 44) % (2 * 600) == 0 and len(done.stdout) > 24_000
    refused = speak("Wéi?".encode("latin-1"))
    assert refused.returncode == 1 and b"is not UTF-8" in refused.stderr


def test_a_listener_who_goes_away_is_no_fault_of_the_text(exported, tmp_path):
    (tmp_path / "text.txt").write_text("Moien. " * 40, encoding="utf-8")
    command = [sys.executable, "-m", "lbtts.cli", "speak", "-m", str(exported), "-o", "-"]
    command += ["-f", str(tmp_path / "text.txt")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as speaking:
        assert speaking.stdout.read(4) == b"RIFF"
        speaking.stdout.close()
        said = speaking.stderr.read()
    assert speaking.returncode == 1 and b"text.txt" not in said and b"Traceback" not in said


@pytest.mark.parametrize("folder", ["nowhere", "tests"])
def test_a_folder_that_is_no_export_is_named(folder, root, capsys):
    _, code = run("voices", "-m", root / folder, capsys=capsys)
    assert str(root / folder) in code


def test_parts_of_the_recording_are_read_back(tmp_path):
    assert recording._parsed(b'{"a": 1}') is None  # without its line end it was cut
    assert recording._parsed(b'{"a": 1}\n') == {"a": 1}
