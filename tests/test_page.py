"""The server's page in a browser: type, press, hear, see the words light up."""

import shutil
from pathlib import Path

import pytest

pytest.importorskip("fastapi", reason="pip install -r requirements-serve.txt")

from lbtts import Voice
from lbtts.server.app import create
from tests.serving import serving

TEXT = "😀 Moien, d'Haus kascht 12 €. Gutt!"
WORDS = ["Moien", "d'Haus", "kascht", "12 €", "Gutt"]
WATCH = """() => {
    window.lit = [];
    window.loudest = 0;
    const audio = document.getElementById("audio"), context = new AudioContext();
    const ear = context.createAnalyser(), heard = new Float32Array(ear.fftSize);
    context.createMediaElementSource(audio).connect(ear);
    audio.addEventListener("timeupdate", () => {
        ear.getFloatTimeDomainData(heard);
        window.loudest = Math.max(window.loudest, ...heard);
    });
    new MutationObserver((changes) => {
        for (const { target } of changes)
            if (target.hasAttribute("aria-current")) window.lit.push(target.textContent);
    }).observe(document.getElementById("words"), { attributes: true, subtree: true });
}"""


@pytest.fixture(scope="module")
def browser():
    playwright = pytest.importorskip(
        "playwright.sync_api", reason="needs pip install playwright, and Chromium"
    )
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("needs Chromium, such as of Debian's package chromium")
    with playwright.sync_playwright() as driver:
        arguments = ["--no-sandbox", "--autoplay-policy=no-user-gesture-required"]
        browser = driver.chromium.launch(executable_path=chromium, args=arguments)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def voice(exported):
    return Voice.load(exported, threads=1)


def opened(browser, url, **device):
    tab = browser.new_context(accept_downloads=True, **device).new_page()
    tab.errors = []
    tab.on("pageerror", lambda error: tab.errors.append(str(error)))
    tab.on("request", lambda asked: asked.url.startswith((url, "blob:", "data:")) or
           tab.errors.append(f"asked for {asked.url}"))  # fmt: skip
    tab.goto(url)
    tab.locator("option").first.wait_for(state="attached")
    return tab


def test_words_are_heard_lit_in_order_and_corrected_by_keyboard_alone(browser, voice):
    with serving(create({"lb_max": voice})) as url:
        tab = opened(browser, url)
        tab.evaluate(WATCH)
        tab.keyboard.press("Tab")
        tab.keyboard.press("Control+a")
        tab.keyboard.type(TEXT)
        tab.keyboard.press("Control+Enter")
        tab.locator("#words button").first.wait_for()
        assert tab.locator("#words button").all_text_contents() == WORDS
        player = tab.locator("#audio")
        player.evaluate("p => p.ended || new Promise(done => p.addEventListener('ended', done))")
        duration = player.evaluate("player => player.duration")
        assert duration == pytest.approx(len(voice(TEXT).audio) / 24_000, abs=0.01)
        assert tab.evaluate("loudest") > 0.01
        assert tab.evaluate("lit") == WORDS

        tab.locator("#words button").nth(4).focus()
        tab.keyboard.press("Enter")
        assert tab.input_value("#phonemes") == voice.front_end("Gutt")[0]
        tab.locator("#phonemes").focus()
        tab.keyboard.press("Control+a")
        tab.keyboard.type("ɡˈuːt")
        tab.keyboard.press("Enter")
        tab.locator("#all-phonemes", has_text="ɡˈuːt!").wait_for(state="attached")
        assert tab.input_value("#text") == TEXT.replace("Gutt", "[Gutt](/ɡˈuːt/)")
        for name, begins in {"wav": b"RIFF", "srt": b"1\n00:00", "vtt": b"WEBVTT"}.items():
            with tab.expect_download() as download:
                tab.locator(f"#{name}").press("Enter")
            assert Path(download.value.path()).read_bytes().startswith(begins)
        assert not tab.errors


def test_page_fits_a_phone_and_says_what_is_wrong(browser, voice):
    device = {"viewport": {"width": 360, "height": 640}, "has_touch": True, "color_scheme": "dark"}
    with serving(create({"lb_max": voice}, key="secret")) as url:
        tab = opened(browser, url, **device)
        tab.tap("#speak")
        tab.locator("#status.error", has_text="the key is missing").wait_for()
        tab.fill("#key", "secret")
        tab.fill("#text", "[Gas](/g/)")
        tab.tap("#speak")
        tab.locator("#status.error", has_text="Kokoro has no symbol").wait_for()
        tab.fill("#text", "😀")
        tab.tap("#speak")
        tab.locator("#status.error", has_text="Nothing").wait_for()
        tab.fill("#text", TEXT)
        tab.tap("#speak")
        tab.locator("#words button").first.wait_for()
        assert tab.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        assert not tab.errors
