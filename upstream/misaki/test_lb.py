from misaki import lb
from misaki.token import MToken


def test_tokens_make_up_the_phonemes():
    phonemes, tokens = lb.LBG2P()("Moien, wéi geet et?")
    assert phonemes == "mˈojən, vɜɪ ɡˈeːd ət?"
    assert all(isinstance(token, MToken) for token in tokens)
    assert "".join(token.phonemes + token.whitespace for token in tokens) == phonemes


def test_numbers_are_read():
    _, tokens = lb.LBG2P()("Den 1. Mee")
    assert [token.text for token in tokens] == ["Den", "éischte", "Mee"]
