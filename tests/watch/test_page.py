"""The status page in a real browser, while an extraction runs and while one waits for quota."""

import base64
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.keys import Keys
from watched import Watched, output_folder, running, until

SIZES = {"desktop": (1280, 900), "phone": (360, 740)}
SCHEMES = ("light", "dark")
# Its lists are read, and its size known, within a few requests.
SMALL = ("--users", "20", "--leads", "10", "--companies", "5", "--conversations", "12")
# Text smaller than 18 pt, by the Web Content Accessibility Guidelines.
LEAST_CONTRAST = 4.5

CONTRASTS = """
const channels = (color) => color.match(/[\\d.]+/g).map(Number);
const luminance = (rgb) => {
  const [r, g, b] = rgb.slice(0, 3).map((c) => c / 255)
      .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const background = (node) => {
  for (; node; node = node.parentElement) {
    const color = channels(getComputedStyle(node).backgroundColor);
    if (color.length < 4 || color[3] > 0) return color;
  }
  return [255, 255, 255];
};
const found = [];
for (const node of document.querySelectorAll('body *')) {
  if (!node.checkVisibility() || node.closest('svg.empty') || node.matches('.skip')) continue;
  const own = [...node.childNodes].some((c) => c.nodeType === 3 && c.textContent.trim());
  if (!own) continue;
  const style = getComputedStyle(node);
  const ink = luminance(channels(node.closest('svg') ? style.fill : style.color));
  const paper = luminance(background(node));
  const ratio = (Math.max(ink, paper) + 0.05) / (Math.min(ink, paper) + 0.05);
  found.push([node.tagName + '.' + (node.getAttribute('class') || '') + ' ' +
              node.textContent.slice(0, 30), ratio]);
}
return found;
"""


class Page:
    """The page in a browser of its own."""

    def __init__(self, driver: webdriver.Chrome, watched: Watched) -> None:
        self.driver = driver
        self.watched = watched

    def open(self, size: str, scheme: str) -> None:
        width, height = SIZES[size]
        self.driver.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": size == "phone"},
        )
        self.driver.execute_cdp_cmd(
            "Emulation.setEmulatedMedia",
            {"features": [{"name": "prefers-color-scheme", "value": scheme}]},
        )
        self.driver.get(self.watched.url)

    def text(self, selector: str) -> str:
        """What is to be seen of an element."""
        shown: str = self.run(
            "const e = document.querySelector(arguments[0]);"
            "return e && e.checkVisibility() ? e.innerText : ''",
            selector,
        )
        return shown

    def run(self, script: str, *arguments: Any) -> Any:
        return self.driver.execute_script(script, *arguments)

    def until_text(self, selector: str, pattern: str) -> str:
        return until(
            lambda: re.search(pattern, self.text(selector)) and self.text(selector),
            f"{pattern!r} in {selector}, which has {self.text(selector)!r}",
        )

    def focused(self) -> str:
        name: str = self.run(
            "const e = document.activeElement; return e.tagName + (e.id ? '#' + e.id : '')"
        )
        return name

    def press(self, key: str) -> None:
        webdriver.ActionChains(self.driver).send_keys(key).perform()

    def save(self, name: str) -> None:
        height = self.run("return document.documentElement.scrollHeight")
        width = self.run("return document.documentElement.clientWidth")
        shot = self.driver.execute_cdp_cmd(
            "Page.captureScreenshot",
            {
                "captureBeyondViewport": True,
                "clip": {"x": 0, "y": 0, "width": width, "height": height, "scale": 1},
            },
        )
        (output_folder() / f"{name}.png").write_bytes(base64.b64decode(shot["data"]))

    def complaints(self) -> list[str]:
        return [entry["message"] for entry in self.driver.get_log("browser")]


@pytest.fixture(scope="module")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    options = webdriver.ChromeOptions()
    options.binary_location = "/usr/bin/chromium"
    for argument in (
        "--headless=new",
        # Tests may run as root, for whom Chromium has no sandbox.
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--no-proxy-server",
        f"--user-data-dir={tmp_path_factory.mktemp('chromium')}",
    ):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    browser = webdriver.Chrome(options, Service("/usr/bin/chromedriver"))
    yield browser
    browser.quit()


@pytest.fixture(scope="module")
def waiting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    """A server one of whose extractions waits for its quota, and one ended before."""
    folder = tmp_path_factory.mktemp("waiting")
    with running(folder, *SMALL, "--quota", "5/10s") as watched:
        assert watched.start_extraction("--tables", "tags").wait(timeout=120) == 0
        watched.start_extraction("--template", "all")
        until(
            lambda: any(
                # Less is of the first requests, which ask how large it all is.
                run["waiting_for"] == "quota" and (run["remaining_seconds"] or 0) > 10
                for run in watched.status()["running"]
            ),
            "the extraction waits for the quota, and knows how long",
        )
        yield watched


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("size", SIZES)
def test_an_extraction_that_waits_for_the_quota(
    driver: webdriver.Chrome, waiting: Watched, size: str, scheme: str
) -> None:
    page = Page(driver, waiting)
    page.open(size, scheme)
    card = page.until_text("#running article", "waiting for the quota")
    assert re.search(r"\d+ of about [\d,]+ requests · about [\d:]+ left", card), card
    # Rounded, as it has just begun.
    assert re.search(r"quota \d+ %", card), card
    assert "users" in card
    assert "conversation_parts" in card
    connection = page.until_text("#connections article", "held by the quota")
    assert re.search(r"\d of 5 requests left in a window of \d+ s, 4 for us", connection), (
        connection
    )
    assert page.text("#idle") == "Not used yet: unused"
    assert re.search(r"default\s+OK", page.text("#ended"))
    until(
        lambda: page.run("return document.querySelectorAll('path.used, path.quota').length") >= 2,
        "both plots are drawn",
    )
    assert page.run("return document.querySelectorAll('path.limit').length") == 1
    until(
        lambda: re.search(r"now: \d+ of 5", page.text("figure:first-child .reading")),
        "the plot says how much of the quota is used",
    )
    page.save(f"waiting-{size}-{scheme}")

    # Not innerWidth: a phone zooms out until all is in.
    assert page.run("return document.documentElement.scrollWidth") <= SIZES[size][0]
    dim = [(what, round(ratio, 2)) for what, ratio in page.run(CONTRASTS) if ratio < LEAST_CONTRAST]
    assert dim == []
    paper = page.run("return getComputedStyle(document.body).backgroundColor")
    assert (sum(map(int, re.findall(r"\d+", paper)[:3])) < 128 * 3) == (scheme == "dark")
    assert page.complaints() == []


@pytest.mark.parametrize("size", SIZES)
def test_an_extraction_that_runs_is_live(
    driver: webdriver.Chrome, tmp_path: Path, size: str
) -> None:
    page_latency = ("--latency-ms", "150", "--quota", "1666/10s", "--users", "4000")
    with running(tmp_path, *page_latency) as watched:
        page = Page(driver, watched)
        page.open(size, "light")
        page.until_text("#none", "No extraction runs")
        page.until_text("#idle", "default")
        extraction = watched.start_extraction("--template", "all")
        card = page.until_text("#running article", r"[1-9][\d,]* rows · [1-9][\d,]* rows/s")
        rows = page.text("#running article tbody")
        page.until_text("#running article", r"[1-9]\d? % · ")
        until(lambda: page.text("#running article tbody") != rows, "rows grow")
        page.save(f"running-{size}-light")
        assert "waiting" in card or "working" in card
        # What is pointed at, open or focused outlives each redrawing.
        page.run("document.querySelector('#running details').open = false")
        page.run("document.querySelector('#running summary').focus()")
        words = page.text("#running article .soft")
        until(lambda: page.text("#running article .soft") != words, "the card goes on")
        assert page.focused() == "SUMMARY"
        assert page.run("return document.querySelector('#running details').open") is False
        assert extraction.wait(timeout=120) == 0
        page.until_text("#none", "No extraction runs")
        assert page.run("return document.querySelectorAll('#running article').length") == 0
        page.until_text("#ended", r"default\s+OK\s+[1-9]")
        assert page.complaints() == []


def test_the_keyboard_reaches_everything(driver: webdriver.Chrome, waiting: Watched) -> None:
    page = Page(driver, waiting)
    page.open("desktop", "light")
    page.until_text("#connections article", "held")
    until(lambda: page.run("return document.querySelectorAll('path.used').length"), "a plot")
    reached = []
    for _ in range(12):
        page.press(Keys.TAB)
        reached.append(page.focused())
    assert reached[0] == "A"  # To skip the header.
    assert "BUTTON#pause" in reached
    assert reached.count("svg") == 2
    assert "SUMMARY" in reached

    page.run("document.querySelector('svg').focus()")
    page.press(Keys.ARROW_LEFT)
    page.press(Keys.ARROW_LEFT)
    page.until_text("figure:first-child .reading", r"^0:0\d ago: ")
    assert "ago" in page.run("return document.querySelector('svg').getAttribute('aria-label')")
    page.press(Keys.ESCAPE)
    page.until_text("figure:first-child .reading", "^now: ")

    page.run("document.querySelector('#pause').focus()")
    page.press(Keys.ENTER)
    assert page.text("#pause") == "Go on"
    shown = page.text("#updated")
    time.sleep(2.5)
    assert page.text("#updated") == shown
    page.press(Keys.SPACE)
    until(lambda: page.text("#updated") != shown, "it goes on")
    assert page.complaints() == []


def test_without_javascript_it_says_where_the_numbers_are(
    driver: webdriver.Chrome, waiting: Watched
) -> None:
    driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        driver.get(waiting.url)
        body = driver.find_element("tag name", "noscript").text
    finally:
        driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
    assert "status.json" in body


def test_a_server_that_goes_away_is_noticed(driver: webdriver.Chrome, tmp_path: Path) -> None:
    with running(tmp_path) as watched:
        page = Page(driver, watched)
        page.open("phone", "dark")
        page.until_text("#ready", "ready")
        watched.terminate()
        page.until_text("#trouble", "The server does not answer")
    # The browser's own words about the failed requests; nothing else.
    assert all("ERR_" in text for text in page.complaints())


def test_the_page_loads_nothing_else(driver: webdriver.Chrome, waiting: Watched) -> None:
    page = Page(driver, waiting)
    page.open("desktop", "light")
    page.until_text("#ready", "ready")
    loaded = page.run("return performance.getEntriesByType('resource').map((e) => e.name)")
    assert {name.removeprefix(waiting.url) for name in loaded} == {"status.json"}
