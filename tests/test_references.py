"""Speaker embeddings of the corpus and of the base's own voices."""

import numpy as np
import torch

from lbtts.acoustics.measuring import speaker
from lbtts.models.kokoro.voices import references
from lbtts.params import Voice
from tests.corpora import buzz

ENCODER = Voice(encoder="resemblyzer", wavlm="none@none", seed=0)


def test_a_louder_recording_is_the_same_speaker():
    audio = buzz(80, seed=1).audio.astype(np.float32) / 32768
    quiet, loud = (speaker.embed(gain * audio, ENCODER) for gain in (0.1, 2.0))
    np.testing.assert_allclose(quiet, loud, atol=1e-3)


def test_sentences_are_spread_over_the_lengths_of_the_corpus():
    lengths = np.random.default_rng(0).permutation(np.arange(20, 140))
    chosen = lengths[references.representative(lengths)]
    np.testing.assert_array_equal(chosen, [30, 50, 70, 90, 110, 130])


def test_a_corpus_of_few_sentences_has_them_all_spoken():
    assert sorted(references.representative(np.array([30, 10, 20]))) == [0, 1, 2]


def test_an_embedding_leaves_torch_its_threads_and_does_not_depend_on_them():
    audio = buzz(80, seed=1).audio.astype(np.float32) / 32768
    before = torch.get_num_threads()
    found = []
    try:
        for threads in (1, 2):
            torch.set_num_threads(threads)
            found.append(speaker.embed(audio, ENCODER))
            assert torch.get_num_threads() == threads
    finally:
        torch.set_num_threads(before)
    np.testing.assert_array_equal(*found)
