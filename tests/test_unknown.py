import itertools

import numpy as np
import pytest
import torch

from lbtts.errors import InputError
from lbtts.languages.luxembourgish.learning import words_of
from lbtts.languages.luxembourgish.lexicon import (
    MODEL,
    learn_ngrams,
    packaged_entries,
    without_n,
)
from lbtts.languages.luxembourgish.phones import INVENTORY
from lbtts.params import Network, Source
from lbtts.text.oov import transducer_training
from lbtts.text.oov.graphones import align
from lbtts.text.oov.learning import learn, score
from lbtts.text.oov.transducer import EDGE
from lbtts.text.oov.unknown import UnknownWords

ENTRIES = sorted(packaged_entries().items())
NETWORK = Network(
    ensemble=2,
    embedding=8,
    encoder=12,
    layers=2,
    prediction=10,
    dropout=0.1,
    history_dropout=0.3,
    epochs=2,
    batch=400,
    lr=1e-2,
)


def learnt(workers):
    entries = ENTRIES[::50]
    return learn(entries, without_n(entries), INVENTORY, NETWORK, seed=1, workers=workers)


@pytest.fixture(scope="module")
def networked():
    """A model with two networks, and the networks as torch knows them."""
    nets = []
    weights = transducer_training._weights
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            transducer_training, "_weights", lambda net, s: nets.append(net) or weights(net, s)
        )
        return learnt(workers=1), nets


def test_alignment_gives_every_letter_its_phones():
    taxi = ("taxi", ("t", "ɑ", "k", "s", "i"))
    entries = [taxi, *ENTRIES[::50]]
    aligned = align(entries)
    for (word, phones), graphones in zip(entries, aligned, strict=True):
        assert "".join(letter for letter, _ in graphones) == word
        assert tuple(phone for _, made in graphones for phone in made) == phones
    assert dict(aligned[0]) == {"t": ("t",), "a": ("ɑ",), "x": ("k", "s"), "i": ("i",)}


def test_words_in_en_are_learnt_without_their_n_too():
    known = [("fannen", ("f", "ɑ", "n", "ə", "n")), ("wen", ("v", "eː"))]
    assert without_n(known) == [("fanne", ("f", "ɑ", "n", "ə"))]


def test_consonants_of_neighbouring_letters_are_joined_as_in_the_lexicons():
    known = {"saf": "z aː f", "fleesch": "f l eː ʃ", "rat": "ʁ aː t", "suen": "s uə n"}
    model = learn_ngrams([(word, tuple(phones.split())) for word, phones in known.items()])
    assert " ".join(model("saffleesch")) == "z aː f l eː ʃ"
    assert " ".join(model("ratsuen")) == "ʁ aː ʦ uə n"


def test_model_generalises_and_survives_its_file(known, tmp_path):
    model = UnknownWords.load(known / MODEL, INVENTORY)
    assert " ".join(model("schwätzen")) == "ʃ w æ ʦ ə n"
    assert model("Ø?") == ()
    model.save(tmp_path / "again.npz")
    assert (tmp_path / "again.npz").read_bytes() == (known / MODEL).read_bytes()


@pytest.mark.parametrize("workers", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_training_again_gives_the_same_model_whatever_the_workers(networked, tmp_path, workers):
    networked[0].save(tmp_path / "first")
    learnt(workers).save(tmp_path / "again")
    assert (tmp_path / "first").read_bytes() == (tmp_path / "again").read_bytes()


def test_networks_in_numpy_are_those_that_torch_trained(networked):
    model, nets = networked
    network = model._network
    word = "schwätzen"
    letters = torch.tensor([[EDGE, *(network._ids[letter] for letter in word), EDGE]] * 2)
    made = torch.randint(len(network.outputs), (2, len(word)), generator=torch.manual_seed(0))
    with torch.no_grad():
        scores = [net.eval()(letters, made).log_softmax(-1).numpy() for net in nets]
    assert len(scores) == NETWORK.ensemble
    expected = np.mean(scores, axis=0)
    decoding = network.encode(word)
    np.testing.assert_allclose(decoding.scores()[0], expected[0, 0], atol=1e-5)
    for t in range(1, len(word)):
        decoding.advance([0, 0] if t == 1 else [0, 1], made[:, t - 1].tolist())
        np.testing.assert_allclose(decoding.scores(), expected[:, t], atol=1e-5)


def test_search_finds_what_networks_and_ngrams_together_find_best(networked):
    """Against all that three letters can make, scored one by one."""
    model, _ = networked
    word = "sti"

    def score(symbols):
        decoding, total = model._network.encode(word), model._ngrams.total("".join(symbols))
        for symbol, letter in zip(symbols, word, strict=True):
            output = dict(model._choices[letter])[symbol]
            total += decoding.scores()[0, output]
            decoding.advance([0], [output])
        return total

    choices = [[symbol for symbol, _ in model._choices[letter]] for letter in word]
    assert model._decode(word) == "".join(max(itertools.product(*choices), key=score))


def test_model_with_networks_survives_its_file(networked, tmp_path):
    networked[0].save(tmp_path / "a.npz")
    UnknownWords.load(tmp_path / "a.npz", INVENTORY).save(tmp_path / "b.npz")
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    assert UnknownWords.load(tmp_path / "a.npz", INVENTORY)("kanner") == networked[0]("kanner")


def test_score_counts_phones_and_words():
    model = learn_ngrams(ENTRIES[::100])
    right = [(word, model(word)) for word in ("kanner", "zeitung")]
    assert score(model, right) == {"per": 0.0, "wer": 0.0}
    phones = right[1][1]
    assert score(model, [right[0], ("zeitung", (*phones, "n"))])["wer"] == 50.0


def test_missing_or_broken_model_is_named(tmp_path):
    with pytest.raises(InputError, match=r"none\.npz: not found; run `dvc repro lexicon`"):
        UnknownWords.load(tmp_path / "none.npz", INVENTORY)
    (tmp_path / "bad.npz").write_bytes(b"nonsense")
    with pytest.raises(InputError, match=r"bad\.npz: no model"):
        UnknownWords.load(tmp_path / "bad.npz", INVENTORY)


@pytest.mark.slow
def test_ngrams_alone_are_near_the_reference_on_unseen_words(shared):
    """A joint-sequence model's 2.9 % and 17.2 %; benchmarks/g2p.py scores the whole model."""
    source = Source(name="shared", kind="file", at=str(shared("g2p", "lexicon.tsv")))
    words = words_of([source], 0.0)
    metrics = score(learn_ngrams(words.training()), words.scoring())
    assert len(words.scoring()) > 3000
    assert metrics["per"] < 3.2 and metrics["wer"] < 18
