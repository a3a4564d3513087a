"""All figures of systems whose order is known."""

import json

import numpy as np
import pytest
from joblib import Parallel

from benchmarks import planted_faults
from lbtts import params
from lbtts.acoustics.measuring.f0 import track
from lbtts.corpus.audio import write_flac
from lbtts.errors import InputError
from lbtts.evaluation import compare, gate, recogniser, speech_metrics
from lbtts.evaluation.artefacts import MEASURES
from lbtts.evaluation.bootstrap import Estimate
from lbtts.evaluation.copy_synthesis import copy_synthesis
from lbtts.evaluation.listening.design import REFERENCE
from lbtts.evaluation.measures import estimates
from lbtts.evaluation.prompt import Prompt, from_plan
from lbtts.evaluation.similarity import Likeness, embeddings
from lbtts.evaluation.speech_metrics import SPEECH_METRICS, Instruments
from lbtts.grid import HOP
from lbtts.languages.luxembourgish.g2p import LBG2P
from tests.real import marylux_clips, marylux_texts

COUNT, HELD_OUT = 14, 8


@pytest.fixture(scope="module")
def p(root):
    choice = params.load(root / "profiles/demo.yaml")
    f0 = choice.features.f0.model_copy(update={"method": "dio"})
    return choice.model_copy(update={"features": choice.features.model_copy(update={"f0": f0})})


@pytest.fixture(scope="module")
def clips(shared, root):
    return marylux_clips(shared, root, COUNT)


@pytest.fixture(scope="module")
def prompts(shared):
    return [
        Prompt(k, t, ("a",) * (len(t) * 4 // 5)) for k, t in marylux_texts(shared, COUNT).items()
    ]


@pytest.fixture(scope="module")
def systems(clips, p):
    draw = np.random.default_rng(0)
    held_out = dict(list(clips.items())[:HELD_OUT])
    f0 = p.features.f0
    return {
        "hums": {
            k: planted_faults.hum(a.astype(float), draw, -20).astype(np.float32)
            for k, a in held_out.items()
        },
        "copy": {k: copy_synthesis(a, track(a, f0), f0.floor) for k, a in held_out.items()},
        "noise": {k: draw.normal(0, 0.05, len(a)).astype(np.float32) for k, a in held_out.items()},
        REFERENCE: held_out,
    }


@pytest.fixture(scope="module")
def found(systems, clips, prompts, p):
    rest = dict(list(clips.items())[HELD_OUT:])
    own = embeddings(clips, p.voice)
    likeness = Likeness(own, {"noise": embeddings(systems["noise"], p.voice)})
    instruments = Instruments(
        p.features.f0, p.voice, likeness=likeness,
        usual=compare.usual(rest, prompts, p.features.f0),
    )  # fmt: skip
    return compare.compare(prompts, systems, instruments)


def test_every_figure_that_can_be_measured_has_an_interval(found):
    measured = found.estimates[REFERENCE]
    assert set(SPEECH_METRICS) - set(measured) == {
        "phone_errors",
        "word_errors",
        "character_errors",
    }
    for estimate in measured.values():
        assert estimate.low <= estimate.value <= estimate.high
        assert estimate.utterances == HELD_OUT


def test_opinion_and_likeness_order_recording_copy_and_noise(found):
    for name in ("dnsmos", "similarity"):
        recording, copied, noise = (found.estimates[s][name] for s in (REFERENCE, "copy", "noise"))
        assert recording.value > copied.value
        assert copied.low > noise.high, name


def test_a_fault_is_found_and_is_more_than_chance(found):
    assert found.estimates["hums"]["distance_hum"].low > 5
    assert found.differences[REFERENCE]["distance_hum"].more_than_chance
    assert found.estimates[REFERENCE]["distance_hum"].high < 3
    assert "\\*" in found.table()


def test_the_gate_s_figures_tell_a_copy_from_noise(systems, clips, prompts, p):
    instruments = Instruments(
        p.features.f0, p.voice, usual=compare.usual(clips, prompts, p.features.f0)
    )
    rows = {k: speech_metrics.measure(prompts, systems[k], instruments)[0] for k in systems}
    copied = gate.gated(rows["copy"], rows[REFERENCE])
    noise = gate.gated(rows["noise"], rows[REFERENCE])
    itself = gate.gated(rows[REFERENCE], rows[REFERENCE])
    assert itself["spread"] == Estimate(1, 1, 1, HELD_OUT)
    assert itself["rate"].value == itself["dnsmos"].value == 0
    assert copied["spread"].value == pytest.approx(1, abs=0.2)
    assert copied["rate"].value < 0.1
    assert noise["dnsmos"].low > copied["dnsmos"].high
    assert noise["artefacts"].low > 6 > itself["artefacts"].value
    assert "spread" not in noise  # it has none
    assert set(MEASURES) >= {"spread", "rate"}  # which have limits of their own


def test_the_command_writes_figures_and_a_listening_test(
    systems, tmp_path, monkeypatch, capsys, root
):
    for name, readings in systems.items():
        (tmp_path / name).mkdir()
        for k, audio in list(readings.items())[:2]:
            write_flac(tmp_path / name / f"{k}.flac", audio)
    monkeypatch.setattr("sys.argv", [
        "compare", str(tmp_path / "copy"), str(tmp_path / "noise"), "--recordings",
        str(tmp_path / REFERENCE), "--params", str(root / "profiles/demo.yaml"),
        "--out", str(tmp_path / "out"),
    ])  # fmt: skip
    compare.main()
    assert "2 utterances" in capsys.readouterr().out
    written = json.loads((tmp_path / "out/metrics.json").read_text(encoding="utf-8"))
    assert list(written["metrics"]) == ["copy", "noise", REFERENCE]
    assert written["differences"]["noise"]["dnsmos"]["more_than_chance"] is False  # two utterances
    assert (tmp_path / "out/test.html").stat().st_size > 100_000
    with pytest.raises(InputError, match="no such folder"):
        monkeypatch.setattr("sys.argv", ["compare", str(tmp_path / "x"), "--out", "y", "--params",
                                         str(root / "profiles/demo.yaml")])  # fmt: skip
        compare.main()


def test_audio_that_is_no_numbers_is_refused_by_name(prompts, p):
    broken = {prompts[0].id: np.full(24000, np.nan, np.float32)}
    with pytest.raises(InputError, match=f"{prompts[0].id}: .* no numbers"):
        speech_metrics.measure(prompts, broken, Instruments(p.features.f0, p.voice))


@pytest.mark.slow
def test_phone_errors_order_recording_copy_wrong_text_and_noise(shared, root, tmp_path, p):
    clips = marylux_clips(shared, root, 150)
    g2p = LBG2P()
    plans = [g2p.token_plan(k, t) for k, t in marylux_texts(shared, 150).items()]
    paths = {}
    for k, audio in clips.items():
        paths[k] = str(tmp_path / f"{k}.flac")
        write_flac(tmp_path / f"{k}.flac", audio)
    ear = recogniser.train(plans[20:], paths, parallel=Parallel(2))
    said = [from_plan(plan) for plan in plans[:20]]
    draw = np.random.default_rng(0)
    whole = {q.id: clips[q.id][: len(clips[q.id]) // HOP * HOP] for q in said}
    f0 = p.features.f0
    readings = {
        "recording": whole,
        "copy": {k: copy_synthesis(a, track(a, f0), f0.floor) for k, a in whole.items()},
        "wrong text": dict(zip(whole, [*list(whole.values())[1:], whole[said[0].id]], strict=True)),
        "noise": {k: draw.normal(0, 0.05, len(a)).astype(np.float32) for k, a in whole.items()},
    }
    errors = {}
    for name, read in readings.items():
        rows, _ = speech_metrics.measure(said, read, Instruments(f0, p.voice, recogniser=ear))
        errors[name] = estimates(rows)["phone_errors"]
        print(name, errors[name])
    assert errors["recording"].value <= errors["copy"].value
    assert errors["copy"].high < errors["wrong text"].low
    assert errors["copy"].high < errors["noise"].low
