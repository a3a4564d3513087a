"""Other programs speak with an exported folder as it is, and sound as lbtts does."""

import os
import subprocess
import sys

import numpy as np
import pytest

from lbtts import Voice
from lbtts.models.kokoro.release import clients
from lbtts.models.kokoro.release.layout import GRAPH, GRAPH_VOICES
from lbtts.text.vocab import VOCAB

PHONEMES = "mˈoiən, vɜɪ ɡˈeːt ˈət?"
ROUNDING = 0.02  # root mean square, relative; other builds of onnxruntime add in another order


@pytest.fixture(scope="module")
def voice(exported):
    return Voice.load(exported, threads=1)


def assert_same(found: np.ndarray, expected: np.ndarray) -> None:
    assert found.shape == expected.shape
    assert np.sqrt(np.mean((found - expected) ** 2) / np.mean(expected**2)) < ROUNDING


def test_kokoro_onnx_speaks_and_tells_times(exported, voice):
    kokoro_onnx = pytest.importorskip("kokoro_onnx", reason="see requirements-clients.txt")
    client = kokoro_onnx.Kokoro(str(exported / GRAPH), str(exported / GRAPH_VOICES))
    audio, rate, times = client.create_timed(PHONEMES, "lb_max", is_phonemes=True, trim=False)
    expected, units = voice.speak(PHONEMES)
    assert rate == 24_000
    assert_same(audio[: len(expected)], expected)
    assert "".join(time.phoneme for time in times) == PHONEMES
    starts = np.cumsum(units)[: len(PHONEMES)] / 40
    before = [time.start for time in times[: PHONEMES.index(",")]]  # then it adds pauses
    assert before == pytest.approx(starts[: len(before)], abs=1e-4)


def test_sherpa_onnx_speaks_text_by_the_lexicon_and_phonemes(exported, voice, tmp_path):
    sherpa = pytest.importorskip("sherpa_onnx", reason="see requirements-clients.txt")
    clients.write_sherpa(tmp_path, VOCAB, ["Haus", "Mann", "17.40"], voice.front_end)
    kokoro = sherpa.OfflineTtsKokoroModelConfig(
        model=str(exported / GRAPH),
        voices=str(exported / "voices/lb_max.bin"),
        tokens=str(tmp_path / "sherpa/tokens.txt"),
        lexicon=str(tmp_path / "sherpa/lexicon.txt"),
    )
    config = sherpa.OfflineTtsConfig(model=sherpa.OfflineTtsModelConfig(kokoro=kokoro))
    assert config.validate()
    client, wish = sherpa.OfflineTts(config), sherpa.GenerationConfig()
    wish.silence_scale = 1.0  # its default shortens silences
    audio = client.generate("Haus Mann", wish)
    assert audio.sample_rate == 24_000
    assert_same(np.array(audio.samples), voice.speak("hˈæʊs mˈɑn")[0])
    wish.phoneme_codepoints = [[ord(symbol) for symbol in PHONEMES]]
    assert_same(np.array(client.generate("x", wish).samples), voice.speak(PHONEMES)[0])


def test_kokoro_js_speaks(exported, voice, root, tmp_path):
    folder = os.environ.get("LBTTS_KOKORO_JS")
    if not folder:
        pytest.skip("LBTTS_KOKORO_JS names no folder with kokoro-js; see requirements-clients.txt")
    script = (root / "tests/kokoro_js.mjs").read_text(encoding="utf-8")
    arguments = [str(exported), "lb_max", PHONEMES, str(tmp_path / "audio")]
    done = subprocess.run(
        ["node", "--input-type=module", "-e", script, *arguments],
        cwd=folder, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert_same(np.fromfile(tmp_path / "audio", np.float32), voice.speak(PHONEMES)[0])


def test_raw_table_is_one_row_later_for_those_who_take_row_n(exported, table):
    raw = np.fromfile(exported / "voices/lb_max.bin", "<f4").reshape(510, 1, 256)
    assert np.array_equal(raw[1:], table[:-1].numpy()) and np.array_equal(raw[0], table[0].numpy())


def test_lexicon_for_sherpa_has_only_what_is_one_word(voice, tmp_path):
    words = ["haus", "17.40", "z.B.", "d'haus", "Москва"]
    clients.write_sherpa(tmp_path, VOCAB, words, voice.front_end)
    written = (tmp_path / "sherpa/lexicon.txt").read_text(encoding="utf-8")
    assert written == "haus h ˈ æ ʊ s\n"
    tokens = (tmp_path / "sherpa/tokens.txt").read_text(encoding="utf-8")
    assert dict((line[0], int(line[2:])) for line in tokens.splitlines()) == VOCAB


HUB = """
import sys
from huggingface_hub import HfApi
HfApi(endpoint=sys.argv[1], token="hf_x").upload_folder(repo_id="me/voice", folder_path=sys.argv[2])
"""


def test_hub_client_uploads_the_folder_as_it_is(exported):
    """To a stand-in of the hub that takes every file as a regular one."""
    from tests.stand_in_hub import serving

    with serving() as (url, received):
        done = subprocess.run(
            [sys.executable, "-c", HUB, url, str(exported)], capture_output=True, text=True
        )
    assert done.returncode == 0, done.stderr
    expected = {p.relative_to(exported).as_posix(): p for p in exported.rglob("*") if p.is_file()}
    assert received == {name: path.read_bytes() for name, path in expected.items()}
