import json

import pytest

from lbtts.errors import InputError, Reject
from lbtts.text.tokens import Phone, Token, TokenPlan, read_token_plans, write_token_plans


def plan(name: str = "a", spaces: int = 0) -> TokenPlan:
    return TokenPlan(
        id=name,
        text="Dag!",
        words=("dag",),
        phones=(Phone("d", 0), Phone("aː", 0)),
        tokens=(
            Token("d", 0, 0),
            Token("ˈ", 0, None),
            Token("a", 0, 1),
            Token("ː", 0, 1),
            Token("!", None, None),
            *[Token(" ", None, None)] * spaces,
        ),
    )


def test_plan_spells_the_phoneme_string_and_its_ids():
    assert plan().phonemes == "dˈaː!"
    assert plan().input_ids == [0, 46, 156, 43, 158, 5, 0]
    assert plan().pronunciations() == [("dag", ("d", "aː"))]


def test_plans_survive_the_file_and_are_sorted(tmp_path):
    path = tmp_path / "utterances.jsonl"
    write_token_plans([plan("b"), plan("a")], path)
    assert read_token_plans(path) == [plan("a"), plan("b")]
    first = path.read_bytes()
    write_token_plans([plan("a"), plan("b")], path)
    assert path.read_bytes() == first


def test_more_tokens_than_kokoro_takes_are_rejected_with_count_and_remedy():
    assert len(plan(spaces=505).input_ids) == 512
    with pytest.raises(Reject, match=r"511 tokens.*510.*split"):
        plan(spaces=506)


def test_missing_and_broken_plan_files_are_named(tmp_path):
    with pytest.raises(InputError, match=r"nowhere\.jsonl: not found.*dvc repro g2p"):
        read_token_plans(tmp_path / "nowhere.jsonl")
    broken = tmp_path / "broken.jsonl"
    write_token_plans([plan()], broken)
    record = json.loads(broken.read_text(encoding="utf-8"))
    del record["tokens"]
    for line in (json.dumps(record), "no json", "[]"):
        broken.write_text("\n" + line + "\n", encoding="utf-8")
        with pytest.raises(InputError, match=r"broken\.jsonl:2: not a token plan"):
            read_token_plans(broken)
