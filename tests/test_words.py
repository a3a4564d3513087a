import builtins
import json

import numpy as np
import pytest
import torch
from transformers import (
    Wav2Vec2Config,
    Wav2Vec2CTCTokenizer,
    Wav2Vec2FeatureExtractor,
    Wav2Vec2ForCTC,
    Wav2Vec2Processor,
)

from lbtts.errors import InputError
from lbtts.evaluation.bootstrap import rate
from lbtts.evaluation.words import CTC, Whisper, character_errors, plain, word_errors
from lbtts.grid import SAMPLE_RATE

SAID = ["D’Kand, dat gëschter krank war, ass nees gesond.", "Moien!"]


def test_case_punctuation_and_the_shape_of_apostrophes_are_no_errors():
    heard = ["d'kand dat gëschter krank war ass nees gesond", "moien"]
    assert rate(*word_errors(heard, SAID)).value == 0
    assert rate(*character_errors(heard, SAID)).value == 0


def test_accents_count():
    assert plain("Gëschter,  ÄNNER_rt…") == "gëschter änner rt"
    errors, words = word_errors(["D'Kand, dat geschter krank war, ass nees gesond."], SAID[:1])
    assert (errors.tolist(), words.tolist()) == ([1], [8])


def test_each_utterance_has_its_errors_and_words():
    errors, words = word_errors(["d'kand dat war krank", "moien moien"], SAID)
    assert errors.tolist() == [5, 1]
    assert words.tolist() == [8, 1]
    errors, characters = character_errors(["", "moin"], SAID)
    assert errors.tolist() == [45, 1]
    assert characters.tolist() == [45, 5]


def test_a_normaliser_of_the_language_is_used_on_both_sides():
    def numbers(text: str) -> str:
        return plain(text).replace("2", "zwee")

    errors, _ = word_errors(["2 Kanner"], ["zwee Kanner"], numbers)
    assert errors.tolist() == [0]


@pytest.mark.parametrize("kind", [CTC, lambda model: Whisper(model, "lb")], ids=["ctc", "whisper"])
def test_a_model_that_is_not_there_is_one_clear_line(kind, tmp_path):
    pytest.importorskip("faster_whisper", reason="needs pip install -r requirements-recogniser.txt")
    with pytest.raises(InputError, match=r"gone: no such folder; .* NAME@COMMIT"):
        kind(str(tmp_path / "gone"))
    (tmp_path / "config.json").write_text(json.dumps({}))
    with pytest.raises(InputError, match=r"not loadable .*; (give|check)") as caught:
        kind(str(tmp_path))
    assert "\n" not in str(caught.value)


def test_a_missing_package_names_the_file_to_install(monkeypatch, tmp_path):
    real = builtins.__import__

    def without(name, *args, **kwargs):
        if name == "faster_whisper":
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(InputError, match="faster_whisper is not installed; pip install -r req"):
        Whisper(str(tmp_path), "lb")


def test_a_ctc_network_from_a_folder_writes_its_letters(tmp_path):
    letters = {"<pad>": 0, "|": 1, "a": 2, "b": 3, "<unk>": 4, "<s>": 5, "</s>": 6}
    (tmp_path / "vocab.json").write_text(json.dumps(letters))
    tokenizer = Wav2Vec2CTCTokenizer(str(tmp_path / "vocab.json"))
    Wav2Vec2Processor(Wav2Vec2FeatureExtractor(), tokenizer).save_pretrained(tmp_path)
    torch.manual_seed(0)
    network = Wav2Vec2ForCTC(
        Wav2Vec2Config(
            vocab_size=len(letters),
            hidden_size=16,
            num_hidden_layers=1,
            num_attention_heads=2,
            intermediate_size=16,
            conv_dim=(8, 8, 8, 8, 8, 8, 8),
            num_conv_pos_embeddings=4,
            num_conv_pos_embedding_groups=2,
        )
    )
    with torch.no_grad():  # it hears an a in everything
        network.lm_head.weight.zero_()
        network.lm_head.bias.copy_(torch.eye(len(letters))[letters["a"]])
    network.save_pretrained(tmp_path)
    noise = np.random.default_rng(0).normal(0, 0.1, SAMPLE_RATE).astype(np.float32)
    assert CTC(str(tmp_path)).hear(noise) == "a"
