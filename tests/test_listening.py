import json
import shutil
from collections import Counter
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import soundfile

from lbtts.errors import InputError
from lbtts.evaluation.folders import in_common, names, read_folder, read_prompts
from lbtts.evaluation.listening import __main__ as command
from lbtts.evaluation.listening import answers
from lbtts.evaluation.listening.design import ANCHOR, REFERENCE, anchor, design
from lbtts.grid import SAMPLE_RATE

UTTERANCES = [f"u{k}" for k in range(6)]


@pytest.fixture
def made():
    return design(["a", "b", "c"], UTTERANCES, name="t", reference=True, seed=1)


def test_everybody_is_rated_once_and_pairs_take_turns(made):
    rated = [made.stimuli[q.stimuli[0]] for q in made.questions if len(q.stimuli) == 1]
    assert len(rated) == len(set(rated)) == 6 * 5
    assert {s.system for s in rated} == {"a", "b", "c", REFERENCE, ANCHOR}
    pairs = [q.stimuli for q in made.questions if len(q.stimuli) == 2]
    compared = Counter(frozenset(made.stimuli[k].system for k in pair) for pair in pairs)
    assert set(compared.values()) == {2}
    assert all(made.stimuli[a].utterance == made.stimuli[b].utterance for a, b in pairs)


def test_no_sentence_comes_twice_in_a_row(made):
    rated = [made.stimuli[q.stimuli[0]].utterance for q in made.questions if len(q.stimuli) == 1]
    assert sum(one == other for one, other in pairwise(rated)) <= 1


def test_the_seed_alone_makes_the_order(made):
    again = design(["a", "b", "c"], UTTERANCES, name="t", reference=True, seed=1)
    assert again == made
    assert design(["a", "b", "c"], UTTERANCES, name="t", reference=True, seed=2) != made


def test_a_system_cannot_be_called_as_the_recordings_are():
    with pytest.raises(InputError, match="no system can be called anchor"):
        design(["a", "anchor"], UTTERANCES, name="t", reference=False)


def test_the_anchor_has_nothing_above_3_5_khz_and_all_below():
    noise = np.random.default_rng(0).normal(0, 0.1, SAMPLE_RATE).astype(np.float32)
    power = np.abs(np.fft.rfft(anchor(noise))) ** 2
    whole = np.abs(np.fft.rfft(noise)) ** 2
    hertz = np.fft.rfftfreq(len(noise), 1 / SAMPLE_RATE)
    assert power[hertz > 4000].sum() < 1e-4 * whole[hertz > 4000].sum()
    assert power[hertz < 3000].sum() == pytest.approx(whole[hertz < 3000].sum(), rel=0.05)


def written(folder, test, listener, rate):
    """A file of answers by a listener who rates `rate(system)` and prefers what rates higher."""
    found = []
    for number, question in enumerate(test.questions):
        points = [rate(test.stimuli[k].system) for k in question.stimuli]
        value = points[0] if len(points) == 1 else (1 + np.sign(points[1] - points[0])) / 2
        found.append({"question": number, "value": float(value)})
    path = folder / f"{listener}.json"
    path.write_text(json.dumps({"test": test.name, "listener": listener, "answers": found}))
    return path


POINTS = {REFERENCE: 5, "a": 4, "b": 3, "c": 3, ANCHOR: 1}


def test_opinions_and_preferences_come_back_as_they_were_given(made, tmp_path):
    (tmp_path / "key").write_text(json.dumps(made.key()))
    files = [written(tmp_path, made, f"l{k}", POINTS.get) for k in range(3)]
    found = answers.results(answers.read([tmp_path / "key"], [*files, files[0]]))
    assert found.listeners == 3
    assert {name: e.value for name, e in found.opinions.items()} == POINTS
    assert next(iter(found.opinions)) == REFERENCE
    assert found.preferences["a", "b"].value == 1
    assert found.preferences["b", "c"].value == 0.5
    lines = "\n".join(found.lines())
    assert "a: MOS 4.00" in lines
    assert "b rather than c: 50 % (50 % to 50 %), no more than chance" in lines.replace("%", " %")


def test_who_did_not_hear_the_anchor_is_left_out_and_named(made, tmp_path):
    (tmp_path / "key").write_text(json.dumps(made.key()))
    deaf = {**POINTS, REFERENCE: 2, ANCHOR: 2, "b": 5}
    files = [written(tmp_path, made, "good", POINTS.get), written(tmp_path, made, "deaf", deaf.get)]
    found = answers.results(answers.read([tmp_path / "key"], files))
    assert (found.listeners, found.left_out) == (1, ("deaf",))
    assert found.opinions["b"].value == 3


def test_a_panel_that_guesses_prefers_nobody_and_its_interval_narrows_with_its_size(tmp_path):
    test = design(["a", "b"], UTTERANCES, name="t", reference=False)
    (tmp_path / "key").write_text(json.dumps(test.key()))
    draw = np.random.default_rng(0)
    files = [
        written(tmp_path, test, f"l{k}", lambda _: int(draw.integers(1, 6))) for k in range(40)
    ]
    few, many = (
        answers.results(answers.read([tmp_path / "key"], some)).preferences["a", "b"]
        for some in (files[:8], files)
    )
    assert many.low < 0.5 < many.high
    assert many.high - many.low < few.high - few.low


def test_answers_to_another_test_are_refused(made, tmp_path):
    (tmp_path / "key").write_text(json.dumps(made.key()))
    other = design(["a", "b"], UTTERANCES, name="other", reference=False)
    with pytest.raises(InputError, match="of the test other, whose key was not given"):
        answers.read([tmp_path / "key"], [written(tmp_path, other, "l", POINTS.get)])


@pytest.fixture
def folders(tmp_path):
    """Two systems and recordings of three short sentences: `better` has less noise than `worse`."""
    draw = np.random.default_rng(0)
    time = np.arange(SAMPLE_RATE // 4) / SAMPLE_RATE
    for name, noise in (("better", 0.03), ("worse", 0.3), ("recordings", 0.003)):
        (tmp_path / name).mkdir()
        for k in range(3):
            voice = 0.2 * np.sin(2 * np.pi * (200 + 40 * k) * time)
            voice += 0.05 * np.sin(2 * np.pi * 20 * (200 + 40 * k) * time)
            soundfile.write(
                tmp_path / name / f"u{k}.wav",
                voice + noise * 0.2 * draw.standard_normal(len(time)),
                SAMPLE_RATE,
            )
    (tmp_path / "texts.csv").write_text("u0|Moien </script>, wéi?\nu1|Jo.\nu2|Nee.\n")
    return tmp_path


def run(monkeypatch, capsys, *arguments):
    monkeypatch.setattr("sys.argv", ["listening", *map(str, arguments)])
    command.main()
    return capsys.readouterr().out


def test_folders_are_read_by_name_and_wrong_ones_named(folders):
    assert list(read_folder(folders / "better")) == ["u0", "u1", "u2"]
    with pytest.raises(InputError, match="no such folder"):
        read_folder(folders / "gone")
    with pytest.raises(InputError, match="no utterance in common"):
        in_common({"a": {"x": np.zeros(1)}, "b": {"y": np.zeros(1)}})
    (folders / "x/better").mkdir(parents=True)
    assert set(names([folders / "better", folders / "x/better"])) == {
        f"{folders.name}/better",
        "x/better",
    }
    assert [p.text for p in read_prompts(folders / "texts.csv")][1:] == ["Jo.", "Nee."]


def test_the_page_names_no_system_and_loads_nothing(folders, monkeypatch, capsys):
    run(monkeypatch, capsys, "make", folders / "out", folders / "better", folders / "worse",
        "--recordings", folders / "recordings", "--texts", folders / "texts.csv")  # fmt: skip
    text = (folders / "out/test.html").read_text(encoding="utf-8")
    for name in ("better", "worse", "recording", "anchor", "http:", "https:", "</script>,"):
        assert name not in text, name
    assert json.loads((folders / "out/key.json").read_text())["name"] == "out-0"


def quieter(audio: str) -> float:
    """What a careful listener hears: how much of a clip is not noise, from its data URI, 1 to 5."""
    import base64
    import io

    samples, _ = soundfile.read(io.BytesIO(base64.b64decode(audio.partition(",")[2])))
    power = np.abs(np.fft.rfft(samples)) ** 2
    peaks = np.sort(power)[-6:].sum()
    high = np.fft.rfftfreq(len(samples), 1 / SAMPLE_RATE) > 3500
    dull = power[high].max() < 1e-4 * power.max()
    noise = 10 * np.log10((power.sum() - peaks) / peaks)
    return 1.0 if dull else float(np.clip(round(3 - noise / 15), 2, 5))


def listen(browser, page: Path, keys: bool, **device) -> str:
    """Takes the whole test: by keys alone, or with a finger on a phone. Returns the answers."""
    context = browser.new_context(accept_downloads=True, offline=True, **device)
    tab = context.new_page()
    errors: list[str] = []
    tab.on("pageerror", lambda error: errors.append(str(error)))
    tab.goto(page.as_uri())
    tab.keyboard.press("Enter") if keys else tab.tap("#start")
    while tab.locator("#result").count() == 0:
        players = tab.locator("audio")
        count = players.count()
        assert tab.locator("input:enabled").count() == 0, "an answer before the clip was heard"
        for place in range(count):
            if keys:
                tab.locator("body").press("Space")
            else:
                players.nth(place).evaluate("player => player.play()")
            players.nth(place).evaluate(
                "p => p.ended || new Promise(done => p.addEventListener('ended', done))"
            )
        heard = [quieter(players.nth(k).get_attribute("src")) for k in range(count)]
        if count == 1:
            answer = str(int(heard[0]))
        else:
            answer = "2" if heard[0] == heard[1] else "1" if heard[0] > heard[1] else "3"
        if keys:
            tab.keyboard.press(answer)
            tab.keyboard.press("Enter")
        else:
            tab.locator("label.choice", has=tab.locator(f"kbd:text-is('{answer}')")).tap()
            tab.tap("#next")
    assert tab.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    with tab.expect_download() as download:
        tab.keyboard.press("Enter") if keys else tab.tap("button:not(.plain)")
    assert not errors
    saved = Path(download.value.path()).read_text(encoding="utf-8")
    assert saved == tab.locator("#result").input_value()
    context.close()
    return saved


def test_a_whole_test_in_a_browser_finds_the_better_system(folders, monkeypatch, capsys):
    playwright = pytest.importorskip(
        "playwright.sync_api", reason="needs pip install playwright, and Chromium"
    )
    chromium = next(
        filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
    )
    if chromium is None:
        pytest.skip("needs Chromium, such as of Debian's package chromium")
    run(monkeypatch, capsys, "make", folders / "out", folders / "better", folders / "worse",
        "--recordings", folders / "recordings", "--texts", folders / "texts.csv")  # fmt: skip
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(
            executable_path=chromium,
            args=["--no-sandbox", "--autoplay-policy=no-user-gesture-required"],
        )
        phone = {"viewport": {"width": 360, "height": 640}, "has_touch": True}
        for name, sent in {
            "keys": listen(browser, folders / "out/test.html", keys=True),
            "phone": listen(
                browser, folders / "out/test.html", keys=False, color_scheme="dark", **phone
            ),
        }.items():
            (folders / f"{name}.json").write_text(sent, encoding="utf-8")
        browser.close()
    out = run(monkeypatch, capsys, "results", folders / "out/key.json",
              folders / "keys.json", folders / "phone.json")  # fmt: skip
    print(out)
    table = answers.read(
        [folders / "out/key.json"], [folders / "keys.json", folders / "phone.json"]
    )
    found = answers.results(table)
    assert found.listeners == 2 and not found.left_out
    assert list(found.opinions)[-2:] == ["worse", ANCHOR]
    assert found.opinions["better"].low > found.opinions["worse"].high
    assert found.preferences["better", "worse"].value == 1
