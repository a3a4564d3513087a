import numpy as np
import pytest
import scipy.signal
import threadpoolctl

from lbtts.acoustics.measuring import mel

AUDIO = (0.1 * np.random.default_rng(0).standard_normal(9_600)).astype(np.float32)


def filterbank_by_definition():
    """Triangles on HTK's mel scale between 0 and 8 kHz over the bins of a 16 kHz transform."""

    def to_mel(hertz):
        return 2595 * np.log10(1 + hertz / 700)

    edges = 700 * (10 ** (np.linspace(0, to_mel(8000), 82) / 2595) - 1)
    bins = np.linspace(0, 8000, 1025)
    low, centre, high = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    rising = (bins - low) / (centre - low)
    falling = (high - bins) / (high - centre)
    return np.maximum(0, np.minimum(rising, falling))


def reference(audio):
    """The same log-mel in float64 and the plainest of loops."""
    padded = np.pad(audio.astype(np.float64), 1024, mode="reflect")
    window = np.zeros(2048)
    window[424:1624] = scipy.signal.get_window("hann", 1200)
    frames = [padded[i * 300 : i * 300 + 2048] * window for i in range(len(audio) // 300)]
    power = np.abs(np.fft.rfft(frames)) ** 2
    return np.log(1e-5 + power @ filterbank_by_definition().T)


def test_the_filterbank_is_its_definition_for_16_khz():
    np.testing.assert_allclose(mel.FILTERBANK, filterbank_by_definition(), atol=1e-6)


def test_log_mel_equals_a_float64_reference():
    np.testing.assert_allclose(mel.log_mel(AUDIO), reference(AUDIO), atol=1e-5)


def test_energy_equals_a_float64_reference():
    expected = np.log(np.linalg.norm(np.exp(reference(AUDIO)), axis=1))
    np.testing.assert_allclose(mel.energy(mel.log_mel(AUDIO)), expected, atol=1e-5)


@pytest.mark.filterwarnings("ignore:n_fft=2048 is too large")
@pytest.mark.parametrize("units", [2, 3, 17])
def test_there_are_two_frames_a_unit_however_short_the_audio(units):
    audio = np.resize(AUDIO, 600 * units)
    assert mel.log_mel(audio).shape == (2 * units, 80)
    assert mel.log_mel(audio).dtype == np.float32
    np.testing.assert_allclose(mel.log_mel(audio), reference(audio), atol=1e-5)


def test_the_bytes_do_not_depend_on_the_number_of_threads():
    audio = np.resize(AUDIO, 600 * 200)
    with threadpoolctl.threadpool_limits(1):
        alone = mel.log_mel(audio)
    with threadpoolctl.threadpool_limits(2):
        assert mel.log_mel(audio).tobytes() == alone.tobytes()


def test_silence_is_the_floor_and_finite():
    silent = mel.log_mel(np.zeros(6_000, np.float32))
    np.testing.assert_allclose(silent, np.log(1e-5), rtol=1e-6)
    assert np.isfinite(mel.energy(silent)).all()
