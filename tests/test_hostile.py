"""Whatever a file holds, reading it ends in its content or in one line that names the file.

Each reader gets mutants of a valid file: cut, with bytes changed, removed, doubled, or replaced by
others altogether. Nothing in a file is ever executed.
"""

import ast
import json
import pickle
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import safetensors.numpy
import soundfile
import torch

from benchmarks import miniature
from lbtts import params
from lbtts.acoustics.store.features import FeatureStore
from lbtts.alignment import textgrid
from lbtts.alignment.textgrid import Alignment, Interval
from lbtts.alignment.timing import Timing, read_timings, write_timings
from lbtts.corpus import audio, readers
from lbtts.corpus.audited import read_audit, write_audit
from lbtts.corpus.manifest import Entry, read_manifest, write_manifest
from lbtts.errors import InputError, Reject
from lbtts.evaluation.folders import read_prompts
from lbtts.evaluation.listening import answers
from lbtts.evaluation.scale import Scale
from lbtts.evaluation.systems import read_measures
from lbtts.languages.luxembourgish.origin import Languages
from lbtts.languages.luxembourgish.phones import INVENTORY
from lbtts.languages.luxembourgish.stress import read_stress
from lbtts.models.kokoro.voices.table import InitialVoice
from lbtts.models.kokoro.weights import checkpoint
from lbtts.text.dictionary import read_dictionary, write_dictionary
from lbtts.text.lexicon import read_variants
from lbtts.text.oov import kneser_ney
from lbtts.text.oov.unknown import UnknownWords, combine
from lbtts.text.tokens import read_token_plans, write_token_plans
from lbtts.training import resume
from tests import tones
from tests.conftest import ROOT
from tests.corpora import equal_utterances

MUTANTS = 20
PLANS = [tones.plan("a", "oi", "su"), tones.plan("b", "uo")]
EMBEDDINGS = np.ones((3, 8), np.float32)
GRAPHONES = [[("m", ("m",)), ("a", ("ɑ",))], [("a", ("ɑ",)), ("m", ("m",))]]


def table(path: Path) -> None:
    torch.save(torch.zeros(510, 1, 256), path)


def initial_voice(path: Path) -> None:
    embeddings = torch.ones(2, 4)
    InitialVoice(
        ("a", "b"), torch.zeros(510, 1, 256), torch.zeros(4, 256), embeddings, 2 * embeddings
    ).save(path)


def grid(path: Path) -> None:
    words = (Interval(0.1, 0.5, "oi"),)
    phones = Interval(0.1, 0.3, "o"), Interval(0.3, 0.5, "i")
    textgrid.write(Alignment(words, phones, 0.8), path)


def answered(path: Path) -> None:
    content = {"test": "t", "listener": "x", "answers": []}
    path.write_text(json.dumps(content), encoding="utf-8")


def languages(path: Path) -> None:
    model = kneser_ney.train(["moien", "merci"], 3)
    Languages(dict.fromkeys(("lb", "de", "fr", "en"), model)).save(path)


def read_answers(path: Path) -> None:
    key = path.with_name("key.json")
    key.write_text('{"name": "t", "trials": []}', encoding="utf-8")
    answers.read([key], [path])


def measures(path: Path) -> None:
    rows = pd.DataFrame({"system": ["voice"], "id": ["a"], "dnsmos": [3.0], "heard": ["o i"]})
    rows.to_csv(path, index=False)


def scale(path: Path) -> None:
    Scale(EMBEDDINGS, EMBEDDINGS, pd.DataFrame({"hum": [1.0]})).save(path.parent)


def corpus(source: str) -> Callable[[Path], object]:
    return lambda path: readers.read_corpus(source, path.parent)


def spoken(path: Path) -> None:
    path.with_name("wavs").mkdir(exist_ok=True)
    path.write_text("a|Moien.|Moien.\nb|Jo.|Jo.\n", encoding="utf-8")


def stereo(path: Path) -> None:
    soundfile.write(path, np.zeros((2400, 2)), 24_000)


def written(content: str) -> Callable[[Path], object]:
    return lambda path: path.write_text(content, encoding="utf-8")


# By the name of the file: what writes a valid one, and what reads it.
SUBJECTS: dict[str, tuple[Callable[[Path], object], Callable[[Path], object]]] = {
    "manifest.csv": (
        lambda path: write_manifest(
            [
                Entry("a", "train", "Moien.", audio="a.flac", samples=9),
                Entry("b", "test", "", "no"),
            ],
            path,
        ),
        read_manifest,
    ),
    "durations.csv": (
        lambda path: write_timings([Timing("a", (2, 3), ((0, 600),)), ("b", Reject("no"))], path),
        read_timings,
    ),
    "audit.csv": (
        lambda path: write_audit(
            pd.DataFrame({"worst": 1.0, "measure": "h"}, index=["a"]), {}, path
        ),
        read_audit,
    ),
    "plans.jsonl": (lambda path: write_token_plans(PLANS, path), read_token_plans),
    "a.TextGrid": (grid, textgrid.read),
    "lexicon.dict": (
        lambda path: write_dictionary([("oi", ("o", "i")), ("su", ("s", "u"))], path),
        read_dictionary,
    ),
    "additions.tsv": (written("moien\tm oɪ ə n\n"), lambda path: read_variants(path, INVENTORY)),
    "stress.tsv": (written("moien\tˈm oɪ ə n\n"), read_stress),
    "params.yaml": (
        lambda path: path.write_bytes((ROOT / "profiles/demo.yaml").read_bytes()),
        params.load,
    ),
    "metadata.csv": (spoken, corpus("ljspeech")),
    "rows/metadata.csv": (written("path,text\na.wav,Moien.\n"), corpus("csv")),
    "files/a.txt": (written("Moien."), corpus("folder")),
    "a.wav": (stereo, audio.decode),
    "a.flac": (stereo, audio.decode),
    "voice.pt": (table, checkpoint.load_voice),
    "voice.bin": (lambda path: np.zeros(510 * 256, "<f4").tofile(path), checkpoint.load_voice),
    "voice.safetensors": (initial_voice, InitialVoice.load),
    "tensors.safetensors": (
        lambda path: safetensors.numpy.save_file({"x": EMBEDDINGS}, path),
        checkpoint.load_tensors,
    ),
    "features.h5": (
        lambda path: equal_utterances(path.parent, "ab"),
        lambda path: FeatureStore(path)[0],
    ),
    "checkpoint.pt": (lambda path: resume.save({"step": 3, "x": torch.ones(9)}, path), resume.load),
    "model.npz": (
        lambda path: combine(GRAPHONES, INVENTORY).save(path),
        lambda path: UnknownWords.load(path, INVENTORY),
    ),
    "languages.npz": (languages, Languages.load),
    "scale.safetensors": (scale, lambda path: Scale.load(path.parent)),
    "usual.csv": (scale, lambda path: Scale.load(path.parent)),
    "measures.csv": (measures, lambda path: read_measures(path.parent)),
    "answers.json": (answered, read_answers),
    "prompts.csv": (written("a|Moien.\n"), read_prompts),
}


def mutant(valid: bytes, draw: np.random.Generator) -> bytes:
    """A file that was damaged in one of seven ways."""
    data = bytearray(valid)
    size = len(data)
    begin = int(draw.integers(size))
    end = min(size, begin + int(draw.integers(1, 40)))
    match draw.integers(7):
        case 0:
            return bytes(data[:begin])
        case 1:
            data[begin:end] = draw.bytes(end - begin)
        case 2:
            del data[begin:end]
        case 3:
            data[begin:begin] = data[begin:end]
        case 4:
            data[begin] ^= 1 << int(draw.integers(8))
        case 5:
            data[begin:end] = b"\x00" * (end - begin)
        case _:
            return draw.bytes(int(draw.integers(200)))
    return bytes(data)


@pytest.mark.parametrize("name", SUBJECTS)
def test_a_damaged_file_is_read_or_named_in_one_line(name, tmp_path):
    write, read = SUBJECTS[name]
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    write(path)
    read(path)
    valid = path.read_bytes()
    draw = np.random.default_rng(len(valid))
    refused = 0
    for number in range(MUTANTS):
        path.write_bytes(mutant(valid, draw))
        try:
            read(path)
        except (InputError, Reject) as error:
            refused += 1
            assert len(str(error).splitlines()) == 1, f"mutant {number}: {error}"
            assert path.name in str(error) or path.parent.name in str(error), error
    assert refused or name in ("stress.tsv", "files/a.txt", "metadata.csv"), "nothing is refused"


class Trap:
    """Runs code where it is unpickled."""

    def __reduce__(self):
        return print, ("executed",)


@pytest.mark.parametrize(
    "read",
    [
        pytest.param(resume.load, id="run"),
        pytest.param(checkpoint.load_voice, id="voice"),
        pytest.param(
            lambda path: checkpoint.load_published(miniature.random(), path), id="checkpoint"
        ),
    ],
)
@pytest.mark.parametrize(
    "save", [torch.save, lambda what, path: path.write_bytes(pickle.dumps(what))]
)
def test_a_pickle_is_refused_and_nothing_of_it_runs(read, save, tmp_path, capsys):
    path = tmp_path / "trap.pt"
    save(Trap(), path)
    with pytest.raises(InputError, match=r"trap\.pt"):
        read(path)
    assert "executed" not in capsys.readouterr().out


FORBIDDEN = {"pickle", "marshal", "shelve", "dill", "cloudpickle"}


def calls(tree: ast.AST) -> list[ast.Call]:
    return [node for node in ast.walk(tree) if isinstance(node, ast.Call)]


def given(call: ast.Call, name: str) -> object:
    """The constant that a keyword of a call has; None without it."""
    values = (k.value for k in call.keywords if k.arg == name)
    return next((v.value for v in values if isinstance(v, ast.Constant)), None)


def unsafe(source: str) -> list[str]:
    """What in a module could execute data, by line."""
    found = []
    tree = ast.parse(source)
    for node in ast.walk(tree):
        names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
        names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        found += [f"{node.lineno}: {n}" for n in names if n.partition(".")[0] in FORBIDDEN]
    for call in calls(tree):
        name = ast.unparse(call.func)
        if name == "torch.load" and given(call, "weights_only") is not True:
            found.append(f"{call.lineno}: torch.load without weights_only=True")
        if name in ("eval", "exec", "os.system", "os.popen", "yaml.load", "joblib.load"):
            found.append(f"{call.lineno}: {name}")
        if given(call, "shell") is True or given(call, "allow_pickle") is True:
            found.append(f"{call.lineno}: {name}")
    return found


@pytest.mark.parametrize("folder", ["lbtts", "stages"])
def test_no_module_can_execute_what_it_reads(folder):
    found = {
        str(path.relative_to(ROOT)): lines
        for path in (ROOT / folder).rglob("*.py")
        if (lines := unsafe(path.read_text(encoding="utf-8")))
    }
    assert found == {}


@pytest.mark.parametrize(
    "line",
    [
        "torch.load(x)",
        "import pickle",
        "from pickle import loads",
        "subprocess.run(x, shell=True)",
        "np.load(x, allow_pickle=True)",
        "eval(x)",
    ],
)
def test_the_search_for_unsafe_code_finds_it(line):
    assert unsafe(line)
