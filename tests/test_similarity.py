import numpy as np
import pytest
import soundfile
import soxr

from lbtts import params
from lbtts.errors import InputError
from lbtts.evaluation.similarity import Likeness, embeddings
from lbtts.grid import SAMPLE_RATE


def around(direction, count, rng, spread=0.3):
    return {f"u{k}": direction + spread * rng.normal(size=64) / 8 for k in range(count)}


@pytest.fixture
def speakers():
    rng = np.random.default_rng(0)
    one, near, far = rng.normal(size=(3, 64)) / 8
    near = one + 1.5 * near
    return (
        around(one, 12, rng),
        {"near": around(near, 6, rng), "far": around(far, 6, rng)},
        around(one, 6, rng),
        around(near, 6, rng),
    )


def test_a_stranger_is_0_and_a_second_recording_1(speakers):
    recordings, others, second, stranger = speakers
    scale = Likeness(recordings, others)
    assert scale.nearest == "near"
    assert np.mean([scale.of(v, n) for n, v in recordings.items()]) == pytest.approx(1)
    assert np.mean([scale.of(v) for v in second.values()]) == pytest.approx(1, abs=0.1)
    assert np.mean([scale.of(v) for v in stranger.values()]) == pytest.approx(0, abs=0.1)
    assert np.mean([scale.of(v) for v in others["far"].values()]) < -0.3


def test_a_recording_is_never_part_of_what_it_is_compared_with(speakers):
    recordings, others, *_ = speakers
    few = dict(list(recordings.items())[:3])
    scale = Likeness(few, others)
    with_itself = np.mean([scale.of(v) for v in few.values()])
    assert with_itself > np.mean([scale.of(v, n) for n, v in few.items()])


def test_the_length_of_an_embedding_says_nothing(speakers):
    recordings, others, second, _ = speakers
    scale = Likeness(recordings, others)
    one = second["u0"]
    assert scale.of(one) == pytest.approx(scale.of(7 * one))


def test_a_stranger_who_is_the_speaker_is_refused(speakers):
    recordings, _, second, _ = speakers
    with pytest.raises(InputError, match="takes me for the speaker"):
        Likeness(recordings, {"me": {"a": np.sum(list(second.values()), axis=0)}})
    with pytest.raises(InputError, match="needs two recordings and one other speaker"):
        Likeness(recordings, {})


def test_real_speakers_are_told_apart(shared, root):
    def read(corpus: str, names: list[str]) -> dict:
        found = {}
        for name in names:
            samples, rate = soundfile.read(shared(corpus, "wavs", f"{name}.flac"), dtype="float32")
            found[name] = soxr.resample(samples, rate, SAMPLE_RATE)
        return found

    numbers = (3, 6, 8, 9, 10, 12, 16, 20, 23, 25)
    voice = params.load(root / "profiles/demo.yaml").voice
    marylux = read("marylux", [f"lb-wiki-{k:04d}" for k in numbers])
    stranger = read("ljspeech_sample", [f"LJ001-{k:04d}" for k in range(1, 5)])
    heard = embeddings(marylux, voice)
    scale = Likeness(dict(list(heard.items())[:6]), {"LJSpeech": embeddings(stranger, voice)})
    others = [scale.of(heard[name]) for name in list(heard)[6:]]
    print(f"same {scale.same:.2f}, other {scale.other:.2f}, new recordings {np.round(others, 2)}")
    assert np.mean(others) == pytest.approx(1, abs=0.15)
    assert min(others) > 0.5
