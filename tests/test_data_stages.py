"""The data stages one after another, and what must hold for every utterance that survives them."""

import contextlib
import hashlib
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile

from lbtts.acoustics.store.features import FeatureStore
from lbtts.alignment.report import read_report
from lbtts.corpus.manifest import accepted, read_manifest, write_manifest
from lbtts.errors import InputError
from lbtts.inspection.alignment import worst_first
from lbtts.records import read_json
from lbtts.text.tokens import read_token_plans, write_token_plans
from lbtts.text.vocab import VOCAB
from stages import align, audit, corpus, durations, features, g2p
from tests.damage import KINDS, spoil

AFTER_CORPUS = (g2p, align, durations, audit, features)


def run_in(folder: Path, stages) -> None:
    with contextlib.chdir(folder):
        for stage in stages:
            stage.main()


def copy_of(project: Path, folder: Path, known: Path) -> Path:
    shutil.copytree(project, folder, dirs_exist_ok=True)
    shutil.copytree(known, folder / "data/lexicon", dirs_exist_ok=True)
    additions = Path(__file__).parent.parent / "data/additions.tsv"
    shutil.copy(additions, folder / "data/additions.tsv")
    return folder


def digests(folder: Path) -> dict[str, str]:
    files = [p for p in sorted((folder / "data").rglob("*")) if p.is_file()]
    return {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


def assert_invariants(folder: Path) -> FeatureStore:
    """What the design promises of every utterance in features.h5."""
    store = FeatureStore(folder / "data/features.h5")
    plans = {plan.id: plan for plan in read_token_plans(folder / "data/alignment/spoken.jsonl")}
    manifest = read_manifest(folder / "data/corpus/manifest.csv")
    rows = pd.read_csv(folder / "data/durations.csv", dtype=str, keep_default_na=False)
    rows = rows[rows["status"] == "ok"].set_index("id")
    symbols = {number: symbol for symbol, number in VOCAB.items()}
    for index, name in enumerate(store.ids):
        utterance = store[index]
        total = int(utterance.units.sum())
        assert len(utterance.audio) == 600 * total, name
        assert len(utterance.f0) == len(utterance.energy) == len(utterance.mel) == 2 * total, name
        assert utterance.units.min() >= 1 and utterance.units.max() <= 50, name
        assert utterance.tokens[0] == utterance.tokens[-1] == 0, name
        spoken = "".join(symbols[int(number)] for number in utterance.tokens[1:-1])
        assert spoken == plans[name].phonemes, name
        assert utterance.units.tolist() == [int(n) for n in rows.at[name, "units"].split()], name
        cuts = [span.split(":") for span in rows.at[name, "cuts"].split(";") if span]
        cut = sum(int(end) - int(begin) for begin, end in cuts)
        path = folder / manifest[name].audio
        assert soundfile.info(path).frames == 600 * total + cut, name
        assert np.isfinite(utterance.mel).all() and np.isfinite(utterance.energy).all(), name
        assert (utterance.f0 >= 0).all() and utterance.f0.any(), name
        assert store.split[index] == (manifest[name].split == "test"), name
    return store


@pytest.fixture(scope="module")
def project(mini_corpus, known, tmp_path_factory):
    folder = copy_of(mini_corpus, tmp_path_factory.mktemp("stages"), known)
    run_in(folder, AFTER_CORPUS)
    return folder


def test_every_utterance_reaches_the_features_on_the_grid(project):
    store = assert_invariants(project)
    assert len(store) == len(accepted(read_manifest(project / "data/corpus/manifest.csv")))


def test_a_second_run_from_nothing_with_two_jobs_gives_the_same_bytes(
    project, mini_corpus, known, tmp_path
):
    again = copy_of(mini_corpus, tmp_path, known)
    params = (again / "params.yaml").read_text(encoding="utf-8")
    (again / "params.yaml").write_text(params.replace("jobs: 1", "jobs: 2"), encoding="utf-8")
    shutil.rmtree(again / "data/corpus")
    run_in(again, (corpus, *AFTER_CORPUS))
    assert digests(again) == digests(project)


def test_every_stage_writes_flat_metrics(project):
    for stage in ("corpus", "g2p", "align", "durations", "features"):
        metrics = read_json(project / f"metrics/{stage}.json")
        assert metrics["rejected"] == 0
        assert all(isinstance(value, int | float | str) for value in metrics.values())


def test_the_pitch_of_the_demo_voice_is_found(project):
    metrics = read_json(project / "metrics/features.json")
    assert 80 < metrics["f0_median_hz"] < 130  # espeak's lb voice at pitch 35 to 50
    assert 0.5 < metrics["voiced_share"] < 0.9


def test_one_damaged_utterance_is_listed_and_the_rest_goes_on(project, tmp_path, known):
    folder = copy_of(project, tmp_path, known)
    params = (folder / "params.yaml").read_text(encoding="utf-8")
    (folder / "params.yaml").write_text(
        params.replace("max_rejected: 0.05", "max_rejected: 0.2"), encoding="utf-8"
    )
    path = sorted((folder / "data/corpus/audio").iterdir())[2]
    soundfile.write(path, np.zeros(soundfile.info(path).frames), 24_000, subtype="PCM_16")
    run_in(folder, (features,))
    rejects = pd.read_csv(folder / "data/features_report.csv")
    rejects = rejects[rejects["status"] == "rejected"].reset_index()
    assert rejects["id"].tolist() == [path.stem]
    assert "no voiced frame" in rejects["reason"][0]
    assert path.stem not in FeatureStore(folder / "data/features.h5").ids


def test_too_many_rejects_stop_a_stage_after_its_report_is_written(project, tmp_path, known):
    folder = copy_of(project, tmp_path, known)
    path = sorted((folder / "data/corpus/audio").iterdir())[2]
    soundfile.write(path, np.zeros(600), 24_000, subtype="PCM_16")
    with pytest.raises(InputError, match=r"features: 1 of 6 .* data/features_report\.csv"):
        run_in(folder, (features,))
    assert path.stem in (folder / "data/features_report.csv").read_text(encoding="utf-8")


@pytest.fixture
def real(shared, root, known, tmp_path):
    """A project whose corpus is the 385 utterances of real speech, before its first stage."""
    params = (root / "profiles/demo.yaml").read_text(encoding="utf-8")
    head, _, tail = params.partition("  demo:\n")
    params = head + tail.partition("\n\n")[2]
    params = params.replace("source: demo ", "source: ljspeech ").replace(
        "name: demo", "name: real"
    )
    (tmp_path / "params.yaml").write_text(params, encoding="utf-8")
    (tmp_path / "data/raw").mkdir(parents=True)
    (tmp_path / "data/raw/real").symlink_to(shared("marylux"))
    shutil.copytree(known, tmp_path / "data/lexicon")
    shutil.copy(root / "data/additions.tsv", tmp_path / "data/additions.tsv")
    return tmp_path


@pytest.mark.slow
def test_real_speech_survives_at_least_to_95_per_cent(real):
    run_in(real, (corpus, *AFTER_CORPUS))
    store = assert_invariants(real)
    listed = len(read_manifest(real / "data/corpus/manifest.csv"))
    assert listed == 385
    assert len(store) >= 0.95 * listed


@pytest.mark.slow
def test_planted_damage_is_found_and_shown_first(real):
    params = (real / "params.yaml").read_text(encoding="utf-8")
    params = params.replace("max_rejected: 0.05", "max_rejected: 0.5")
    (real / "params.yaml").write_text(params, encoding="utf-8")
    run_in(real, (corpus, g2p))
    draw = np.random.default_rng(1)
    plans = read_token_plans(real / "data/g2p/utterances.jsonl")
    manifest = read_manifest(real / "data/corpus/manifest.csv")
    kinds = {}
    for k, index in enumerate(draw.permutation(len(plans))[:185].tolist()):
        plan, kind = plans[index], KINDS[k % len(KINDS)]
        original = real / manifest[plan.id].audio
        plans[index], path = spoil(kind, plan, original, plans, draw, real)
        kinds[plan.id] = kind
        if path != original:
            shutil.move(path, original)
        manifest[plan.id] = replace(manifest[plan.id], samples=soundfile.info(original).frames)
    write_token_plans(plans, real / "data/g2p/utterances.jsonl")
    write_manifest(manifest.values(), real / "data/corpus/manifest.csv")
    run_in(real, (align,))

    report = read_report(real / "data/alignment/report.csv")
    confidence = pd.Series({row.id: row.confidence for row in report})
    confidence = confidence.fillna(-1e9)  # not aligned at all
    undamaged = [row.id for row in report if row.id not in kinds]
    good = confidence[undamaged].to_numpy()
    kept = pd.Series({row.id: row.status == "keep" for row in report})
    print(f"undamaged kept: {kept[undamaged].mean():.2%}")
    for kind in KINDS:
        names = [name for name in kinds if kinds[name] == kind]
        pairs = confidence[names].to_numpy()[:, None] - good[None]
        auc = float(((pairs < 0) + 0.5 * (pairs == 0)).mean())
        print(f"{kind}: AUC {auc:.3f}, kept {kept[names].sum()} of {len(names)}")
        assert auc >= (0.85 if kind == "missing words" else 0.95)
        assert kept[names].mean() <= 0.1
    assert kept[undamaged].mean() >= 0.96
    assert {row.id for row in worst_first(report)[:16]} <= set(kinds)
