import base64
import io
import re

import numpy as np
import pytest
import soundfile
from ruamel.yaml import YAML

from lbtts import params, paths
from lbtts.errors import InputError
from lbtts.evaluation.gate import CHECKLIST
from lbtts.evaluation.systems import CEILING, FLOOR, RECORDING, VOICE, audio_path, write_audio
from lbtts.release import report
from lbtts.release.card import card
from lbtts.text.tokens import Token, TokenPlan
from tests.conftest import ROOT

EVALUATED = {
    "utterances": 6,
    "metrics": [
        {
            "name": "mcd",
            "meaning": "mel-cepstral distance",
            "better": "less",
            "systems": {"ceiling": [3, 2.5, 3.5], "voice": [5, 4, 6], "floor": [9, 8, 10]},
            "more_than_chance": True,
        },
        {
            "name": "dnsmos",
            "meaning": "naturalness",
            "better": "more",
            "systems": {"recording": [2.5, 2, 3], "voice": [3, 2.9, 3.1], "floor": [3.4, 3, 3.5]},
            "more_than_chance": True,
        },
        {
            "name": "rate",
            "meaning": "phones a second",
            "better": "",
            "systems": {"voice": [12, 11, 13], "floor": [12, 11, 13]},
            "more_than_chance": False,
        },
    ],
    "gate": {
        "passed": False,
        "lines": [{"met": False, "line": "NOT MET: similarity"}, {"met": True, "line": "met: x"}],
    },
    "confusions": [{"said": "ʦ", "heard": "s", "count": 4, "expected": 0.5}],
    "checklist": ["No word is wrong."],
}
PIP = {"base": "pip", "base_graph": "g.onnx", "base_sha256": "6e74", "base_licence": "Apache-2.0"}


@pytest.fixture
def said(tmp_path, monkeypatch) -> None:
    """A project's folder in which two utterances were said by all systems that a sample plays."""
    monkeypatch.chdir(tmp_path)
    draw = np.random.default_rng(0)
    for name in ("demo-001", "loud"):
        for folder, system, units in (
            (paths.REFERENCE, RECORDING, 30),
            (paths.REFERENCE, FLOOR, 35),
            (paths.SPEECH, VOICE, 40),
            (paths.REFERENCE, CEILING, 30),
        ):
            write_audio(folder, system, name, draw.normal(0, 0.7, 600 * units).astype("f4"))


def sample(text: str = "Moien, d'Welt & <b>all</b>!") -> report.Sample:
    f0 = params.load(ROOT / "profiles/demo.yaml").features.f0
    return report.sample(TokenPlan("demo-001", text, (), (), (Token("m", None, None),)), f0)


def page(samples=(), **changes) -> str:
    content = {
        "title": "lb_max",
        "subtitle": "Profile demo.",
        "base": PIP,
        "synthetic": False,
        "evaluated": EVALUATED,
        "samples": samples,
        "learning": {},
        "rejected": [],
        "stages": {
            "corpus": {"utterances": 60, "seconds": 250.5},
            "voice": {"start": "a with b"},
            "train": {"changed_decoder": 0.0123, "changed_voice": 0.1},
        },
    }
    return report.page(**content | changes)


def test_page_holds_everything_it_shows(said):
    html = page([sample()])
    assert "<script" not in html and "<link" not in html
    sources = re.findall(r'(?:src|href)="([^"]*)"', html)
    assert len(sources) == 5 and all(source.startswith("data:") for source in sources)


def test_players_hold_all_that_was_said_at_24_khz_clipped_to_what_a_wav_can_hold(said):
    found = re.findall(r'src="data:audio/wav;base64,([^"]*)"', page([sample()]))
    lengths = []
    for uri in found:
        audio, rate = soundfile.read(io.BytesIO(base64.b64decode(uri)))
        assert rate == 24_000 and np.abs(audio).max() > 0.99
        lengths.append(len(audio))
    assert lengths == [18_000, 21_000, 24_000, 18_000]


def test_page_has_the_same_bytes_again(said):
    assert page([sample()]) == page([sample()])


def test_a_sample_that_a_system_has_not_said_names_the_file_and_the_remedy(said):
    audio_path(paths.SPEECH, VOICE, "demo-001").unlink()
    with pytest.raises(InputError, match=r"data/speech/voice/demo-001\.wav.*dvc repro"):
        sample()


def test_transcript_is_shown_as_text_never_as_markup(said):
    assert "Moien, d&#39;Welt &amp; &lt;b&gt;all&lt;/b&gt;!" in page([sample()])


def test_banner_says_that_random_weights_are_noise_and_only_then():
    assert "noise by construction" in page(base={"base": "random"})
    assert "noise by construction" not in page()


@pytest.mark.parametrize(
    ("base", "words"),
    [
        ({"base": "pip", "base_graph": "int8.onnx"}, "rounded to 8"),
        ({"base": "hub", "base_repo": "a/b", "base_revision": "c0ffee"}, "at commit"),
        ({"base": "file", "base_sha256": "c0ffee"}, "a local checkpoint"),
    ],
)
def test_page_says_what_training_started_from_and_what_it_changed(base, words):
    html = page(base=base)
    assert words in html and "a with b" in html
    assert "1.23%" in html and "10.00%" in html


def test_page_of_the_demo_says_that_its_recordings_are_a_machines():
    assert "This is the demo" in page(synthetic=True)
    assert "This is the demo" not in page()


def test_a_metric_has_its_interval_and_says_where_it_differs_from_the_floor_by_more_than_chance():
    html = page()
    row = re.search(r"<tr><td>mel-cepstral distance.*", html)[0]
    cells = re.findall(r'<td class="[^"]*">([^<]*)<', row)
    assert cells == ["–", "3 (2.5 to 3.5)", "5 (4 to 6)", "9 (8 to 10)", "better"]
    assert 'class="worse">worse</td>' in re.search(r"<tr><td>naturalness.*", html)[0]
    assert 'class=""></td>' in re.search(r"<tr><td>phones a second.*", html)[0]


def test_the_gate_its_checklist_and_what_is_confused_are_on_the_page():
    html = page()
    assert "NOT PASSED" in html and "NOT MET: similarity" in html
    assert 'type="checkbox"> No word is wrong.' in html
    assert "[ʦ] for [s] (4 times, 0.5 expected)" in html
    passed = EVALUATED | {"gate": {"passed": True, "lines": []}}
    assert "NOT PASSED" not in page(evaluated=passed)


def test_every_metric_of_every_stage_is_listed():
    html = page(stages={"g2p": {"words": 480}, "align": {"score": -6.5}})
    assert all(text in html for text in ("g2p", "<code>words</code>", "480", "align", "-6.5"))


def write_rejects(folder, **contents) -> dict:
    defaults = {
        "corpus": "id,split,audio,text,seconds,status,reason\n"
        "a,test,,x,,rejected,silent\nb,test,f,y,1,ok,\n",
        "g2p": "id,reason\n",
        "align": "id,status,reason,backend,score\na,rejected,absent,kaldi,\nb,ok,,kaldi,-6\n",
        "durations": "id,status,reason,units,cuts\n",
        "features": "id,reason\nc,no voiced frame\n",
    }
    files = {}
    for stage, content in (defaults | contents).items():
        files[stage] = folder / f"{stage}.csv"
        files[stage].write_text(content, encoding="utf-8")
    return files


def test_rejects_are_listed_once_by_the_first_stage_with_its_reason(tmp_path):
    assert report.rejects(write_rejects(tmp_path)) == [
        report.Rejected("corpus", "a", "silent"),
        report.Rejected("features", "c", "no voiced frame"),
    ]
    html = page(rejected=report.rejects(write_rejects(tmp_path)))
    assert "silent" in html and "no voiced frame" in html


def test_many_rejects_are_counted_by_stage_and_reason(tmp_path):
    many = "id,reason\n" + "".join(f"u{i:03},unknown character\n" for i in range(300))
    assert report.Rejected("g2p", "300 utterances", "unknown character") in report.rejects(
        write_rejects(tmp_path, g2p=many)
    )


@pytest.mark.parametrize("content", ["", "name,why\nx,y\n", None])
def test_damaged_or_missing_list_of_rejects_names_the_file_and_the_remedy(tmp_path, content):
    files = write_rejects(tmp_path)
    if content is None:
        files["g2p"].unlink()
    else:
        files["g2p"].write_text(content, encoding="utf-8")
    with pytest.raises(InputError, match=r"g2p\.csv.*dvc repro g2p"):
        report.rejects(files)


def test_training_curves_are_those_that_dvclive_wrote(tmp_path):
    for kind, lines in (("train", "1\t9\n2\t8\n"), ("validation", "2\t7\n")):
        folder = tmp_path / "plots/metrics" / kind
        folder.mkdir(parents=True)
        (folder / "mel.tsv").write_text(f"step\tmel\n{lines}")
    curves = report.curves(tmp_path)
    assert list(curves) == ["mel"]
    assert curves["mel"]["train"].tolist() == [9, 8]
    assert curves["mel"].set_index("step")["validation"].dropna().to_dict() == {2: 7}
    assert page(learning=curves).count("data:image/png") == page().count("data:image/png") + 1


@pytest.fixture(scope="module")
def demo(root):
    return params.load(root / "profiles/demo.yaml")


GRAPHS = {"fp32": 326.6, "fp16": 164.6}


def make_card(demo, corpus, provenance, evaluated=EVALUATED) -> str:
    p = demo.model_copy(update={"corpus": corpus})
    return card(p, provenance=provenance, evaluated=evaluated, phonemes="mˈoiən", graphs=GRAPHS)


def test_card_front_matter_is_what_the_hub_reads(demo):
    provenance = {
        "base": "hub",
        "base_repo": "hexgrad/Kokoro-82M",
        "base_revision": "f3ff357",
        "base_sha256": "496d",
        "base_licence": "Apache-2.0",
        "steps": 12,
        "seed": 0,
    }
    changes = {"licence": "CC-BY-NC-4.0", "source": "csv", "demo": None}
    corpus = demo.corpus.model_copy(update=changes)
    text = make_card(demo, corpus, provenance)
    _, front, body = text.split("---\n", 2)
    fields = YAML(typ="safe").load(front)
    assert fields["license"] == "cc-by-nc-4.0"
    assert fields["language"] == "lb"
    assert fields["base_model"] == "hexgrad/Kokoro-82M"
    assert "Apache-2.0" in body and "f3ff357" in body and "consent" in body
    assert corpus.attribution in body
    assert "noise" not in body
    assert "`onnx/model_fp16.onnx` | its weights rounded to 16 bits, 164.6 MB" in body
    assert "model_quantized" not in body


def test_card_of_random_weights_warns_and_names_no_base_model(demo):
    provenance = {"base": "random", "base_seed": 0, "steps": 12, "seed": 0}
    text = make_card(demo, demo.corpus, provenance)
    assert "this voice is noise by construction" in text
    assert "base_model" not in text and "Apache-2.0" not in text
    assert "| mel-cepstral distance | – | 3 (2.5 to 3.5) | 5 (4 to 6) | 9 (8 to 10) |" in text
    assert "NOT PASSED" in text and "- [ ] No word is wrong." in text


def test_the_checklist_has_a_box_for_everything(demo):
    evaluated = EVALUATED | {"checklist": list(CHECKLIST)}
    lines = make_card(demo, demo.corpus, PIP | {"steps": 12, "seed": 0}, evaluated).splitlines()
    assert [line for line in lines if "[ ]" in line] == [f"- [ ] {item}" for item in CHECKLIST]


def test_card_says_that_recovered_weights_were_rounded_and_whose_they_are(demo):
    text = make_card(demo, demo.corpus, PIP | {"steps": 12, "seed": 0})
    assert "g.onnx" in text and "rounded to 8" in text and "hexgrad" in text
    assert "base model's Apache-2.0 terms apply" in text
    assert "base_model: hexgrad/Kokoro-82M" in text and "noise by construction" not in text
