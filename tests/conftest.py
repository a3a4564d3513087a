import contextlib
import shutil
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from hypothesis import settings

from lbtts import threads

ROOT = Path(__file__).resolve().parent.parent

# A busy machine is no fault, and what passed once passes again.
settings.register_profile("repeatable", deadline=None, derandomize=True)
settings.load_profile("repeatable")


def pytest_configure() -> None:
    """Lets SIGINT interrupt, which is ignored by what a shell starts in the background."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository's root."""
    return ROOT


@pytest.fixture(scope="session")
def shared() -> Callable[..., Path]:
    """Finds a file of the development data beside the checkout, or skips the test."""

    def find(*parts: str) -> Path:
        path = ROOT.parent.joinpath("shared", *parts)
        if not path.exists():
            pytest.skip(f"needs development data that is not here: ../shared/{'/'.join(parts)}")
        return path

    return find


@pytest.fixture(scope="session")
def mini_corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project folder after the stage `corpus`: six demo sentences, one of them in the test split.

    It holds params.yaml, data/corpus/ and metrics/corpus.json; session-wide, so do not write there.
    """
    from stages import corpus

    folder = tmp_path_factory.mktemp("mini_corpus")
    params = (ROOT / "profiles/demo.yaml").read_text(encoding="utf-8")
    (folder / "params.yaml").write_text(params.replace("jobs: 0", "jobs: 1"), encoding="utf-8")
    sentences = (ROOT / "data/raw/demo/sentences.txt").read_text(encoding="utf-8").splitlines()
    (folder / "data/raw/demo").mkdir(parents=True)
    (folder / "data/raw/demo/sentences.txt").write_text("\n".join(sentences[:6]), encoding="utf-8")
    with contextlib.chdir(folder):
        corpus.main()
    return folder


@pytest.fixture(scope="session")
def known(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the stage `lexicon` writes, its model learnt from every tenth word by n-grams alone."""
    from lbtts.languages.luxembourgish import origin
    from lbtts.languages.luxembourgish.lexicon import (
        LEXICON,
        MODEL,
        ORIGIN,
        learn_ngrams,
        packaged_entries,
    )
    from lbtts.text.dictionary import write_dictionary

    folder = tmp_path_factory.mktemp("known")
    entries = sorted(packaged_entries().items())
    write_dictionary(entries, folder / LEXICON)
    learn_ngrams(entries[::10]).save(folder / MODEL)
    origin.learn(word for word, _ in entries).save(folder / ORIGIN)
    return folder


@pytest.fixture(scope="session")
def front_end(known: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An exported folder with nothing but the front end in it."""
    folder = tmp_path_factory.mktemp("exported")
    shutil.copytree(known, folder / "g2p")
    shutil.copy(ROOT / "data/additions.tsv", folder / "g2p")
    return folder


@pytest.fixture(scope="session")
def table() -> torch.Tensor:
    """A voice table [510, 1, 256] float32 that no voice has."""
    from lbtts.models.kokoro.voices.table import VoiceTable

    generator = torch.Generator().manual_seed(1)
    return VoiceTable(0.3 * torch.randn(510, 1, 256, generator=generator)).table()


@pytest.fixture(scope="session")
def exported(
    front_end: Path, table: torch.Tensor, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """An exported folder with a miniature's graph, which speaks noise; do not write there."""
    from benchmarks import miniature
    from lbtts import languages
    from lbtts.models.kokoro.release import folder as release

    folder = tmp_path_factory.mktemp("voice")
    shutil.copytree(front_end, folder, dirs_exist_ok=True)
    (folder / "g2p/language.json").write_text('{"language": "lb"}', encoding="utf-8")
    model, config = miniature.random(), miniature.config()
    release.write(folder, model, table, config, "lb_max", "lb")
    release.write_onnx(folder, model, table, config, "lb_max", languages.get("lb"))
    return folder


@pytest.fixture(scope="module")
def one_thread():
    """For networks so small that they only lose by sharing their work."""
    with threads.one_thread():
        yield
