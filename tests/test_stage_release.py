import contextlib
import shutil
from unittest.mock import patch

import kokoro.model
import numpy as np
import pytest
import torch

from benchmarks import miniature
from lbtts import params, paths
from lbtts.acoustics.measuring import mel
from lbtts.acoustics.measuring.f0 import track
from lbtts.acoustics.store.layout import Arrays
from lbtts.acoustics.store.writer import FeatureWriter
from lbtts.corpus.manifest import Entry, write_manifest
from lbtts.errors import InputError
from lbtts.evaluation import releases
from lbtts.evaluation.systems import write_summary
from lbtts.models.kokoro.release import folder as exporting
from lbtts.models.kokoro.voices.table import InitialVoice, VoiceTable
from lbtts.models.kokoro.weights import checkpoint
from lbtts.records import read_json, write_json
from lbtts.text.tokens import Phone, Token, TokenPlan, write_token_plans
from stages import evaluate, export, reference, report
from tests.conftest import ROOT
from tests.test_report import EVALUATED

UNITS = [6, 5, 5, 5, 5, 6]
EARLIER = ("corpus", "g2p", "align", "durations", "audit", "base", "voice", "train")


def utterance(pitch: float) -> np.ndarray:
    """A buzz between two silences, int16, as long as UNITS say."""
    samples = 600 * sum(UNITS)
    phase = 2 * np.pi * pitch * np.arange(samples) / 24_000
    tone = (np.sin(np.arange(1, 30)[:, None] * phase) / np.arange(1, 30)[:, None]).sum(0)
    tone[: 600 * UNITS[0]] = tone[-600 * UNITS[-1] :] = 0
    return (3000 * tone + np.random.default_rng(0).normal(0, 30, samples)).astype(np.int16)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A project folder after the stage train, with a miniature network."""
    folder = tmp_path_factory.mktemp("trained")
    shutil.copy(ROOT / "profiles/demo.yaml", folder / "params.yaml")
    choice = params.load(folder / "params.yaml").features
    plans = []
    with FeatureWriter(folder / "data/features.h5", choice.f0) as writer:
        for number, (name, split) in enumerate([("a", "test"), ("b", "train"), ("c", "test")]):
            audio = utterance(100 + 20 * number)
            samples = audio.astype(np.float32) / 2**15
            log_mel = mel.log_mel(samples)
            f0 = track(samples, choice.f0)
            arrays = Arrays(log_mel.astype(np.float16), f0, mel.energy(log_mel), audio)
            symbols = tuple(Token(symbol, None, None) for symbol in "hɑɪ.")
            plans.append(TokenPlan(name, "<Hei>.", ("hei",), (Phone("h", 0),), symbols))
            writer.add(name, split, plans[-1].input_ids, UNITS, arrays)
    for name in ("g2p", "corpus", "alignment", "lexicon"):
        (folder / "data" / name).mkdir()
    for path in (paths.PLANNED, paths.SPOKEN):
        write_token_plans(plans, folder / path)
    (folder / "data/lexicon/lexicon.dict").write_text("hei\th ɑɪ\n", encoding="utf-8")
    for name in ("model.npz", "languages.npz"):
        (folder / "data/lexicon" / name).write_bytes(b"as the stage lexicon made it")
    shutil.copy(ROOT / "data/additions.tsv", folder / "data")
    entries = [Entry(plan.id, "train" if plan.id == "b" else "test", plan.text) for plan in plans]
    write_manifest([*entries, Entry("z", "train", "x", reason="silent")], folder / paths.MANIFEST)
    for name in ("g2p/rejects", "alignment/report", "durations", "audit", "features_report"):
        (folder / f"data/{name}.csv").write_text("id,reason\n")
    for stage in (*EARLIER, "features"):
        write_json(folder / f"metrics/{stage}.json", {f"figure_of_{stage}": 1})

    base, table = miniature.random(), VoiceTable(0.3 * torch.randn(510, 1, 256)).table()
    origin = {"base": "random", "base_seed": 0}
    checkpoint.save_base(folder / "models/base", base, {}, miniature.config(), origin)
    provenance = origin | {"steps": 3, "seed": 0}
    network = miniature.random(seed=1)
    tuned = folder / "models/finetuned"
    checkpoint.save_finetuned(tuned, network, table, miniature.config(), provenance)
    voice = InitialVoice(("b",), table, torch.zeros(2, 256), torch.zeros(1, 2), torch.ones(1, 2))
    (folder / paths.VOICE).parent.mkdir(parents=True)
    voice.save(folder / paths.VOICE)
    return folder


@pytest.fixture
def project(trained, tmp_path):
    """A copy to work in, where networks are built small."""
    shutil.copytree(trained, tmp_path, dirs_exist_ok=True)
    small = patch.object(kokoro.model, "Decoder", miniature.SmallDecoder)
    with small, contextlib.chdir(tmp_path):
        yield tmp_path


def test_evaluation_writes_metrics_of_ceiling_voice_and_floor_and_the_same_page_each_time(project):
    reference.main()
    evaluate.main()
    report.main()
    metrics = read_json("metrics/evaluate.json")
    assert metrics["utterances"] == 1 and metrics["base"] == "random"  # the other one chooses
    assert metrics["ceiling_mcd"] < metrics["mcd"]
    assert {"duration_error", "floor_duration_error"} <= metrics.keys()
    assert "ceiling_duration_error" not in metrics
    html = (project / "metrics/report/index.html").read_text(encoding="utf-8")
    assert html.count("<audio") == 4
    assert "&lt;Hei&gt;." in html and "hɑɪ." in html
    assert "noise by construction" in html and "silent" in html
    assert all(f"figure_of_{stage}" in html for stage in EARLIER)

    report.main()
    assert (project / "metrics/report/index.html").read_text(encoding="utf-8") == html


def test_metrics_of_an_earlier_stage_that_are_missing_are_named(project):
    reference.main()
    evaluate.main()
    (project / "metrics/align.json").unlink()
    with pytest.raises(InputError, match=r"metrics/align\.json"):
        report.main()


def test_a_report_before_anything_was_said_names_the_stage_to_run(project):
    with pytest.raises(InputError, match="run `dvc repro reference`"):
        report.main()


def test_export_writes_the_folder_and_what_its_proof_found(project, monkeypatch, capsys):
    write_summary(paths.SPEECH, EVALUATED)
    spoken = []
    monkeypatch.setattr(
        exporting,
        "prove",
        lambda folder, model, table, voice, tokens: spoken.append(tokens) or {"tensors_equal": 7},
    )
    lost = {"fp16": [], "int8": ["NOT MET: phones misheard"]}
    monkeypatch.setattr(releases, "lost_limits", lambda *_: lost)
    (project / "models/export/voices").mkdir(parents=True)
    (project / "models/export/voices/stale.pt").touch()
    export.main()
    out = project / "models/export"
    made = {str(path.relative_to(out)) for path in out.rglob("*") if path.is_file()}
    assert made == {
        "README.md",
        "config.json",
        "g2p/additions.tsv",
        "g2p/language.json",
        "g2p/languages.npz",
        "g2p/lexicon.dict",
        "g2p/model.npz",
        "kokoro-lb.pth",
        "voices/lb_max.pt",
        "voices/lb_max.bin",
        "tokenizer.json",
        "tokenizer_config.json",
        "sherpa/tokens.txt",
        "sherpa/lexicon.txt",
        "onnx/model.onnx",
        "onnx/model_fp16.onnx",
        "onnx/voices.bin",
    }
    assert (out / "sherpa/lexicon.txt").read_text(encoding="utf-8") == "hei h ˈ ɑ ɪ\n"
    assert [len(tokens) for tokens in spoken] == [len(UNITS)]
    metrics = read_json("metrics/export.json")
    assert metrics["tensors_equal"] == 7 and metrics["onnx_duration_mismatch"] == 0
    card = (project / "models/export/README.md").read_text("utf-8")
    assert "| 5 (4 to 6) |" in card
    assert "model_fp16.onnx" in card and "model_quantized.onnx" not in card
    said = capsys.readouterr().out
    assert "DOES NOT PASS THE GATE" in said
    assert "int8 is left out, for it does not keep:\n  NOT MET: phones misheard" in said


def test_export_that_stock_kokoro_cannot_load_fails_with_one_line(project):
    write_summary(paths.SPEECH, EVALUATED)
    with pytest.raises(InputError, match="failed its proof: stock kokoro") as failure:
        export.main()  # stock kokoro expects Kokoro's own widths
    assert "\n" not in str(failure.value)
    assert not (project / "metrics/export.json").exists()
