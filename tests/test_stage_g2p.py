import csv
import json
import shutil
from contextlib import chdir

import pytest

from lbtts.corpus.manifest import Entry, write_manifest
from lbtts.errors import InputError
from lbtts.text.tokens import read_token_plans
from stages import g2p as stage

TEXTS = {
    "b": "D'Kanner spille mat 3 Schnuddelpatten.",
    "a": "Vun der [laachen] Schnuddelpatt! 😀👍🏽",
    "c": "Кот",
    "d": "",
}


@pytest.fixture
def project(tmp_path, root, known):
    """A folder with a manifest and known words."""
    (tmp_path / "data/corpus").mkdir(parents=True)
    shutil.copytree(known, tmp_path / "data/lexicon")
    configure(tmp_path, root)
    shutil.copy(root / "data/additions.tsv", tmp_path / "data")
    entries = [Entry(name, "train", text, audio="x") for name, text in TEXTS.items()]
    entries.append(Entry("e", "train", "Moien", reason="silent"))
    write_manifest(entries, tmp_path / "data/corpus/manifest.csv")
    with chdir(tmp_path):
        yield tmp_path


def configure(folder, root, **changes):
    params = (root / "profiles/demo.yaml").read_text(encoding="utf-8")
    changes = {"max_rejected: 0.05": "max_rejected: 0.5"} | changes
    for old, new in changes.items():
        assert old in params
        params = params.replace(old, new)
    (folder / "params.yaml").write_text(params, encoding="utf-8")


def test_stage_writes_token_plans_dictionary_guesses_rejects_and_metrics(project):
    stage.main()
    plans = read_token_plans("data/g2p/utterances.jsonl")
    assert [plan.id for plan in plans] == ["a", "b"]
    lines = (project / "data/g2p/lexicon.dict").read_text(encoding="utf-8").splitlines()
    listed = {tuple(line.split("\t")) for line in lines}
    said = {(word, " ".join(phones)) for plan in plans for word, phones in plan.pronunciations()}
    assert listed == said
    assert ("d'", "d") in listed
    with (project / "data/g2p/oov.csv").open(encoding="utf-8") as file:
        guesses = list(csv.DictReader(file))
    assert [(row["word"], row["count"], row["example"]) for row in guesses] == [
        ("schnuddelpatt", "1", "a"),
        ("schnuddelpatten", "1", "b"),
    ]
    with (project / "data/g2p/rejects.csv").open(encoding="utf-8") as file:
        rejects = {row["id"]: row["reason"] for row in csv.DictReader(file)}
    assert set(rejects) == {"c", "d"}
    assert "U+041A" in rejects["c"]
    assert "empty transcript" in rejects["d"]
    metrics = json.loads((project / "metrics/g2p.json").read_text(encoding="utf-8"))
    assert (metrics["utterances"], metrics["rejected"], metrics["oov_words"]) == (2, 2, 2)
    assert metrics["emoji_dropped"] == 2
    assert metrics["noises_dropped"] == 1
    noises = (project / "data/g2p/noises.csv").read_text(encoding="utf-8")
    assert noises == "noise,count,example\nlaachen,1,a\n"


def test_stage_twice_gives_the_same_bytes(project):
    files = ("utterances.jsonl", "lexicon.dict", "oov.csv", "rejects.csv")
    runs = []
    for _ in range(2):
        stage.main()
        runs.append([(project / "data/g2p" / name).read_bytes() for name in files])
    assert runs[0] == runs[1]


def test_additions_correct_a_guess(project, root):
    (project / "data/additions.tsv").write_text("schnuddelpatt\tp ɑ t\n", encoding="utf-8")
    stage.main()
    assert "schnuddelpatt\tp ɑ t\n" in (project / "data/g2p/lexicon.dict").read_text("utf-8")


def test_several_pronunciations_of_a_word_are_the_aligners_to_choose_from(project):
    own = "schnuddelpatt\tp ɑ t\nschnuddelpatt\tp ɑ\nwuert\tv uə ʁ t\n"
    (project / "data/additions.tsv").write_text(own, encoding="utf-8")
    stage.main()
    lines = (project / "data/g2p/lexicon.dict").read_text(encoding="utf-8").splitlines()
    said = [line for line in lines if line.startswith("schnuddelpatt\t")]
    assert said == ["schnuddelpatt\tp ɑ", "schnuddelpatt\tp ɑ t"]
    plans = read_token_plans("data/g2p/utterances.jsonl")
    planned = dict(entry for plan in plans for entry in plan.pronunciations())
    assert planned["schnuddelpatt"] == ("p", "ɑ", "t")
    assert not any(line.startswith("wuert") for line in lines)  # said nowhere


def test_guesses_fed_back_as_additions_are_known_and_said_alike(project):
    stage.main()
    said = (project / "data/g2p/utterances.jsonl").read_bytes()
    with (project / "data/g2p/oov.csv").open(encoding="utf-8") as file:
        rows = [f"{row['word']}\t{row['pronunciation']}\n" for row in csv.DictReader(file)]
    (project / "data/additions.tsv").write_text("".join(rows), encoding="utf-8")
    stage.main()
    assert (project / "data/g2p/oov.csv").read_text("utf-8").count("\n") == 1
    assert (project / "data/g2p/utterances.jsonl").read_bytes() == said


def test_too_many_rejects_end_the_stage_after_its_reports(project, root):
    configure(project, root, **{"max_rejected: 0.05": "max_rejected: 0.1"})
    with pytest.raises(InputError, match=r"g2p: 2 of 4 utterances rejected.*rejects\.csv"):
        stage.main()
    assert (project / "metrics/g2p.json").exists()


def test_other_languages_are_refused(project, root):
    configure(project, root, **{"language: lb": "language: de"})
    with pytest.raises(InputError, match=r"language: de is not supported; there are: en, lb"):
        stage.main()


def test_a_corpus_without_usable_utterance_is_refused(project):
    write_manifest([], project / "data/corpus/manifest.csv")
    with pytest.raises(InputError, match="no accepted utterance"):
        stage.main()
