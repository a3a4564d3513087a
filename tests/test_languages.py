"""The contract of a language, run over every one there is and over a toy of ten words."""

import subprocess
import sys
from contextlib import chdir
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from ruamel.yaml import YAML

from lbtts import languages, paths
from lbtts.alignment import textgrid
from lbtts.alignment.durations import durations
from lbtts.alignment.pronunciation import pronunciations
from lbtts.alignment.textgrid import Interval, from_phones
from lbtts.corpus.manifest import Entry, write_manifest
from lbtts.errors import InputError, Reject
from lbtts.languages import exported
from lbtts.pipeline import KPipeline
from lbtts.text.dictionary import read_dictionary
from lbtts.text.inventory import Inventory
from lbtts.text.tokens import read_token_plans
from lbtts.text.vocab import VOCAB
from stages import align, g2p, lexicon
from tests import toy_language
from tests.imports import imports
from tests.tones import entries_of, speak

TOY = toy_language.LANGUAGE
EVERY = [*languages.every(), TOY]


@pytest.fixture(params=EVERY, ids=lambda language: language.code)
def language(request):
    return request.param


@pytest.fixture
def front_end(language, known):
    return language.front_end(None, known if language.code == "lb" else None)


def test_codes_and_letters_are_each_languages_own():
    assert len({language.code for language in EVERY}) == len(EVERY)
    assert len({language.letter for language in EVERY}) == len(EVERY)
    for language in languages.every():
        assert languages.get(language.code) is language


def test_only_its_own_folder_imports_a_language(root):
    folders = [path.parent for path in (root / "lbtts/languages").glob("*/__init__.py")]
    for module in [*(root / "lbtts").rglob("*.py"), *(root / "stages").rglob("*.py")]:
        imported = imports(root, module.relative_to(root).as_posix())
        others = [path for path in folders if not module.is_relative_to(path)]
        taken = [p for p in imported for o in others if (root / p).is_relative_to(o)]
        assert not taken, module


def test_an_unknown_language_is_refused_with_those_there_are():
    with pytest.raises(InputError, match=r"language: xx is not supported; there are: en, lb"):
        languages.get("xx")


def test_the_inventory_is_total_and_invertible_in_kokoros_vocabulary(language):
    inventory = language.inventory
    for label, symbols in inventory.symbols.items():
        assert set(symbols) <= set(VOCAB)
        assert inventory.labels["".join(symbols)] == label
        assert inventory.canonical([label]) == (label,)
    assert len(inventory.labels) == len(inventory.symbols)
    for spelling, label in inventory.spellings.items():
        assert inventory.canonical([spelling]) == (label,)
    assert inventory.schwas <= inventory.vowels <= set(inventory.symbols)


def test_the_front_end_speaks_the_example_in_kokoros_symbols_and_the_languages_phones(
    language, front_end
):
    phonemes, tokens = front_end(language.example)
    assert phonemes and set(phonemes) <= set(VOCAB)
    assert phonemes == "".join(f"{token.phonemes}{token.whitespace}" for token in tokens)
    plan = front_end.token_plan("x", language.example)
    assert plan.phonemes == phonemes
    assert {phone.label for phone in plan.phones} <= set(language.inventory.symbols)
    assert all(phones for _, phones in plan.pronunciations())
    for index, phone in enumerate(plan.phones):
        own = [token.symbol for token in plan.tokens if token.phone == index]
        assert tuple(own) == language.inventory.symbols[phone.label]
    assert front_end.inventory is language.inventory
    with pytest.raises(Reject, match="empty transcript"):
        front_end.token_plan("x", "")


def test_other_scripts_and_noises_have_an_answer(language, front_end):
    assert front_end.romanised(language.example) == (language.example, [])
    assert front_end.noises(language.example) == []


@pytest.mark.parametrize("code", [language.code for language in languages.every()])
def test_the_text_side_imports_no_torch(code, root, known):
    program = (
        "import sys; from pathlib import Path; from lbtts import languages; "
        f"language = languages.get({code!r}); "
        f"language.front_end(None, Path({str(known)!r})).token_plan('x', language.example); "
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], cwd=root, check=False).returncode == 0


def test_who_asks_for_the_inventory_does_not_load_the_front_end(root):
    program = (
        "import sys; from lbtts import languages; languages.get('lb').inventory; "
        "sys.exit('lbtts.languages.luxembourgish.g2p' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], cwd=root, check=False).returncode == 0


SMALL = {
    "sources": [{"name": "part", "kind": "file", "at": "list.tsv"}],
    "test_share": 0.2,
    "network": {
        "ensemble": 1, "embedding": 4, "encoder": 8, "layers": 1, "prediction": 6, "dropout": 0,
        "history_dropout": 0, "epochs": 1, "batch": 99, "lr": 0.01,
    },
    "seed": 0,
}  # fmt: skip


@pytest.fixture
def project(tmp_path, root, language, monkeypatch):
    """A project whose only utterances are the example and a word that nobody knows."""
    monkeypatch.setattr(languages, "every", lambda: (language,))
    yaml = YAML(typ="safe")
    tree = yaml.load((root / "profiles/demo.yaml").read_text(encoding="utf-8"))
    tree["language"] = language.code
    tree["run"] |= {"jobs": 1, "max_rejected": 0.5}
    tree["lexicon"] = SMALL
    tree["align"]["kaldi"] |= {"gaussians": 30, "iterations": 12}
    (tmp_path / "data/corpus").mkdir(parents=True)
    with (tmp_path / "params.yaml").open("w", encoding="utf-8") as file:
        yaml.dump(tree, file)
    (tmp_path / "data/additions.tsv").write_text("", encoding="utf-8")
    words = [f"{c}{v}{d}\t{c} {v} {d}\n" for c in "bdfm" for v in "iuo" for d in "bdfm"]
    (tmp_path / "list.tsv").write_text("".join(words), encoding="utf-8")
    texts = {"a": language.example, "b": "Кот"}
    entries = [
        Entry(name, "train", text, audio="x", samples=48_000) for name, text in texts.items()
    ]
    write_manifest(entries, tmp_path / "data/corpus/manifest.csv")
    with chdir(tmp_path):
        yield tmp_path


def test_it_learns_is_phonemised_aligned_exported_and_spoken(language, project):
    lexicon.main()
    learnt = {path.name: path.read_bytes() for path in paths.LEXICON.iterdir()}
    assert set(learnt) == set(language.learnt)
    lexicon.main()
    assert {path.name: path.read_bytes() for path in paths.LEXICON.iterdir()} == learnt

    g2p.main()
    (plan,) = read_token_plans("data/g2p/utterances.jsonl")
    assert (plan.id, plan.text) == ("a", language.example)

    dictionary = read_dictionary("data/g2p/lexicon.dict")
    assert {phone for several in dictionary.values() for p in several for phone in p} <= set(
        language.inventory.symbols
    )
    planned = [phones for _, phones in plan.pronunciations()]
    assert [several[0] for several in pronunciations(plan, dictionary)] == planned
    heard = [
        Interval(0.2 + 0.1 * i, 0.3 + 0.1 * i, phone.label) for i, phone in enumerate(plan.phones)
    ]
    seconds = heard[-1].end + 0.2
    total = round(seconds * 40)
    found, _ = durations(plan, from_phones(plan, heard, seconds), total)
    assert sum(found.units) == total and len(found.units) == len(plan.input_ids)

    exported.write(Path("exported"), language, Path("data/additions.tsv"), Path("data/lexicon"))
    for letter in (language.letter, None):
        pipeline = KPipeline(letter, repo_id="exported", model=False)
        (result,) = pipeline(language.example, voice=None)
        assert result.phonemes == plan.phonemes


def test_an_exported_folder_of_another_language_is_refused(language, tmp_path, monkeypatch):
    monkeypatch.setattr(languages, "every", lambda: (language,))
    (tmp_path / "g2p").mkdir()
    (tmp_path / "g2p/language.json").write_text('{"language": "xx"}', encoding="utf-8")
    with pytest.raises(InputError, match=rf"is for xx, not {language.code}; leave lang_code out"):
        KPipeline(language.letter, str(tmp_path), model=False)


@pytest.mark.parametrize("language", [TOY], indirect=True, ids=["toy"])
def test_the_aligner_hears_a_language_that_it_does_not_know(language, project):
    draw = np.random.default_rng(0)
    texts = {f"u{k:02d}": " ".join(draw.choice(list(toy_language.WORDS), 4)) for k in range(40)}
    audio = {name: f"{paths.CORPUS}/{name}.flac" for name in texts}
    front_end = language.front_end(None, None)
    truth = {
        name: speak(front_end.token_plan(name, text), Path(audio[name]), seed)
        for seed, (name, text) in enumerate(texts.items())
    }
    entries = entries_of(audio)
    write_manifest([replace(entries[n], text=text) for n, text in texts.items()], paths.MANIFEST)
    lexicon.main()
    g2p.main()
    dictionary = read_dictionary(paths.DICTIONARY)
    assert dictionary == {word: (phones,) for word, phones in toy_language.WORDS.items()}
    align.main()
    spoken = read_token_plans(paths.SPOKEN)
    assert {plan.id for plan in spoken} == set(texts)
    errors = []
    for plan in spoken:
        phones = textgrid.read(paths.ALIGNMENT / f"{plan.id}.TextGrid").phones
        assert [phone.label for phone in phones] == [phone.label for phone in plan.phones]
        pairs = zip(phones, truth[plan.id], strict=True)
        errors += [abs(phone.start - begin) for phone, begin in pairs]
    assert np.median(errors) <= 0.02


def test_a_symbol_that_belongs_to_no_phone_is_refused_with_the_file_to_correct():
    front_end = toy_language.ToyFrontEnd({"so": ("s", "ɔ", "i")})
    with pytest.raises(Reject, match=r"'so': 'ɔ' in 'sɔˈi' belongs to no phone; see tests/toy_la"):
        front_end.token_plan("x", "so")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"symbols": {"a": ("a",), "b": ("a",)}}, "same symbols as another"),
        ({"symbols": {"a": ("a",), "g": ("g",)}}, "Kokoro has no symbol"),
        ({"symbols": {"a": ()}}, "Kokoro has no symbol"),
        ({"schwas": frozenset("ə")}, "no phone"),
        ({"spellings": {"x": "y"}}, "no phone"),
    ],
)
def test_an_inventory_that_loses_a_phone_is_refused(change, message):
    fine = {"symbols": {"a": ("a",)}, "vowels": frozenset("a"), "schwas": frozenset()}
    with pytest.raises(ValueError, match=message):
        Inventory(**(fine | change), defined_in="here")
