import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyloudnorm
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from lbtts.corpus.audio import PEAK, decode, prepare, write_flac
from lbtts.errors import Reject
from lbtts.grid import SAMPLE_RATE, SAMPLES_PER_UNIT
from lbtts.params import Corpus, load

PITCH = 440.0


def tone(
    seconds: float, rate: int = SAMPLE_RATE, *, lead: float = 0.3, tail: float = 0.3
) -> NDArray:
    """A steady 440 Hz tone of `seconds` between stretches of silence."""
    wave = 0.3 * np.sin(2 * np.pi * PITCH * np.arange(round(seconds * rate)) / rate)
    wave = np.pad(wave, (round(lead * rate), round(tail * rate)))
    return wave.astype(np.float32)


@pytest.fixture(scope="module")
def corpus(root: Path) -> Corpus:
    return load(root / "profiles/demo.yaml").corpus


@pytest.fixture
def saved(tmp_path: Path) -> Callable[..., Path]:
    def save(
        name: str, samples: NDArray, rate: int = SAMPLE_RATE, subtype: str | None = None
    ) -> Path:
        soundfile.write(tmp_path / name, samples, rate, subtype=subtype)
        return tmp_path / name

    return save


@pytest.mark.parametrize(
    ("name", "rate", "channels", "subtype"),
    [
        ("a.wav", 8_000, 1, "PCM_16"),
        ("a.wav", 44_100, 6, "FLOAT"),
        ("a.flac", 22_050, 2, "PCM_24"),
        ("a.ogg", 48_000, 2, "VORBIS"),
        ("a.opus", 48_000, 1, None),
        ("a.mp3", 44_100, 2, None),
        ("a.aiff", 16_000, 1, "PCM_16"),
        ("a.wav", 11_025, 1, "ULAW"),
    ],
)
def test_any_format_rate_and_channel_count_becomes_24_khz_mono(
    tmp_path: Path, corpus: Corpus, name: str, rate: int, channels: int, subtype: str | None
) -> None:
    samples = np.repeat(tone(1.0, rate)[:, None], channels, axis=1)
    kind = "OGG" if name.endswith("opus") else None
    subtype = "OPUS" if name.endswith("opus") else subtype
    soundfile.write(tmp_path / name, samples, rate, format=kind, subtype=subtype)
    prepared = prepare(*decode(tmp_path / name), corpus)
    spectrum = np.abs(np.fft.rfft(prepared.samples))
    loudest = np.fft.rfftfreq(len(prepared.samples), 1 / SAMPLE_RATE)[spectrum.argmax()]
    assert prepared.samples.ndim == 1
    assert loudest == pytest.approx(PITCH, abs=2)
    assert len(prepared.samples) / SAMPLE_RATE == pytest.approx(
        1.0 + 2 * corpus.edge_seconds, abs=0.1
    )


@settings(max_examples=25)
@given(
    seconds=st.floats(0.3, 3),
    lead=st.floats(0, 1),
    tail=st.floats(0, 1),
    rate=st.sampled_from([16_000, 22_050, 24_000, 48_000]),
)
def test_every_utterance_lies_on_the_grid_with_silence_for_bos_and_eos(
    corpus: Corpus, seconds: float, lead: float, tail: float, rate: int
) -> None:
    prepared = prepare(tone(seconds, rate, lead=lead, tail=tail), rate, corpus)
    assert len(prepared.samples) % SAMPLES_PER_UNIT == 0
    loud = np.abs(prepared.samples) > 0.01
    assert not loud[:SAMPLES_PER_UNIT].any()
    assert not loud[-SAMPLES_PER_UNIT:].any()
    silence = np.flatnonzero(loud)[0] / SAMPLE_RATE, np.flatnonzero(loud[::-1])[0] / SAMPLE_RATE
    assert all(corpus.edge_seconds - 0.01 < edge < corpus.edge_seconds + 0.1 for edge in silence)


@pytest.mark.parametrize("lead", [0.0, 0.1, 0.8])
def test_start_says_where_in_the_recording_the_audio_begins(corpus: Corpus, lead: float) -> None:
    prepared = prepare(tone(1.0, lead=lead), SAMPLE_RATE, corpus)
    onset = np.flatnonzero(np.abs(prepared.samples) > 0.01)[0] / SAMPLE_RATE
    assert prepared.start / SAMPLE_RATE + onset == pytest.approx(lead, abs=0.001)


def test_sound_of_the_recording_is_kept_in_the_edges(corpus: Corpus) -> None:
    samples = tone(1.0)
    hiss = 1e-5 * np.random.default_rng(0).standard_normal(len(samples)).astype(np.float32)
    prepared = prepare(samples + hiss, SAMPLE_RATE, corpus)
    assert np.count_nonzero(prepared.samples[:SAMPLES_PER_UNIT]) == SAMPLES_PER_UNIT


@pytest.mark.parametrize("level", [0.01, 0.1, 1.0, 3.0])
def test_utterances_are_equally_loud_whatever_the_level(corpus: Corpus, level: float) -> None:
    prepared = prepare(level * tone(2.0), SAMPLE_RATE, corpus)
    loudness = pyloudnorm.Meter(SAMPLE_RATE).integrated_loudness(prepared.samples)
    assert loudness == pytest.approx(corpus.loudness, abs=0.01)
    assert not prepared.peak_limited


def test_loudness_gives_way_before_the_peak_clips(corpus: Corpus) -> None:
    click = tone(2.0)
    click[len(click) // 2] = 1.0
    loud = corpus.model_copy(update={"loudness": -6.0})
    prepared = prepare(click, SAMPLE_RATE, loud)
    assert prepared.peak_limited
    assert np.abs(prepared.samples).max() == pytest.approx(PEAK)
    quiet = prepare(click, SAMPLE_RATE, corpus).samples
    assert np.allclose(prepared.samples / PEAK, quiet / np.abs(quiet).max(), atol=1e-5)


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(Reject, match=r"nowhere\.wav: audio file not found"):
        decode(tmp_path / "nowhere.wav")


@pytest.mark.parametrize("name", ["a.wav", "a.flac", "a.aiff", "a.mp3", "a.caf"])
@pytest.mark.parametrize("kept", [0.98, 0.5])
def test_truncated_file_is_rejected(saved: Callable[..., Path], name: str, kept: float) -> None:
    path = saved(name, tone(1.0), 22_050)
    decode(path)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * kept)])
    with pytest.raises(Reject, match=rf"{name}: truncated"):
        decode(path)


def test_wav_written_to_a_pipe_is_not_taken_for_truncated(saved: Callable[..., Path]) -> None:
    path = saved("piped.wav", tone(1.0), subtype="PCM_16")
    data = bytearray(path.read_bytes())
    data[4:8] = data[40:44] = struct.pack("<I", 0xFFFFFFFF)
    path.write_bytes(data)
    samples, _ = decode(path)
    assert len(samples) == len(tone(1.0))


def test_file_that_is_not_audio_is_rejected(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_text("this is a text", encoding="utf-8")
    with pytest.raises(Reject, match=r"a\.wav: truncated, damaged or not audio"):
        decode(tmp_path / "a.wav")


def test_file_without_a_byte_is_rejected(tmp_path: Path) -> None:
    (tmp_path / "a.wav").touch()
    with pytest.raises(Reject, match=r"a\.wav: truncated, damaged or not audio"):
        decode(tmp_path / "a.wav")


def test_audio_of_zero_length_is_rejected(saved: Callable[..., Path]) -> None:
    with pytest.raises(Reject, match="zero length"):
        decode(saved("a.wav", np.zeros(0, np.float32)))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_samples_that_are_no_numbers_are_rejected(saved: Callable[..., Path], value: float) -> None:
    samples = tone(1.0)
    samples[1000] = value
    with pytest.raises(Reject, match="NaN or infinite"):
        decode(saved("a.wav", samples, subtype="FLOAT"))


@pytest.mark.parametrize("level", [0.0, 1e-6])
def test_silence_is_rejected(corpus: Corpus, level: float) -> None:
    with pytest.raises(Reject, match="silent"):
        prepare(np.full(2 * SAMPLE_RATE, level, np.float32), SAMPLE_RATE, corpus)


@pytest.mark.parametrize("samples", [1, 100, 2_000])
def test_too_short_recording_is_rejected(corpus: Corpus, samples: int) -> None:
    with pytest.raises(Reject, match=r"outside corpus\.min_seconds to max_seconds, 0\.5 to 25"):
        prepare(np.full(samples, 0.1, np.float32), SAMPLE_RATE, corpus)


def test_too_long_recording_is_rejected(corpus: Corpus) -> None:
    with pytest.raises(
        Reject, match=r"26\.\d+ s with its edges, outside corpus\.min_seconds to max_seconds"
    ):
        prepare(tone(26.0), SAMPLE_RATE, corpus)


def test_long_silence_around_speech_does_not_make_it_too_long(corpus: Corpus) -> None:
    prepared = prepare(tone(2.0, lead=20, tail=20), SAMPLE_RATE, corpus)
    assert len(prepared.samples) < 2.5 * SAMPLE_RATE


def test_flac_has_16_bits_and_the_same_bytes_each_time(tmp_path: Path, corpus: Corpus) -> None:
    prepared = prepare(tone(1.0), SAMPLE_RATE, corpus)
    for name in ("a.flac", "b.flac"):
        write_flac(tmp_path / name, prepared.samples)
    assert (tmp_path / "a.flac").read_bytes() == (tmp_path / "b.flac").read_bytes()
    facts = soundfile.info(tmp_path / "a.flac")
    assert (facts.samplerate, facts.channels, facts.subtype) == (SAMPLE_RATE, 1, "PCM_16")
    read, _ = soundfile.read(tmp_path / "a.flac", dtype="float32")
    assert np.abs(read - prepared.samples).max() <= 1 / 32768
