"""What the page of `hsbench report` does, in Debian's Chromium driven by Playwright."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner
from PIL import Image

from hsfusion_bench.cli import main
from hsfusion_bench.runs.recorded import recorded_root

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

sync_api: Any = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed", exc_type=ImportError)
CHROMIUM = shutil.which("chromium")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")

HOSTILE = "</script><script>document.title='taken'</script><img src=x onerror=\"document.title='taken'\">\u202e'"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_api.sync_playwright() as playwright:
        # a container's root has no sandbox; what is opened is our own file
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a page of the demo's records, own ones with pictures and a hostile title among them, and of CAVE's."""
    place = tmp_path_factory.mktemp("report")
    results = place / "results"
    run = ["run", "--methods", "bicubic,sfim", "--dataset", "demo", "--scale", "4", "--no-timing", "--pictures"]
    assert CliRunner().invoke(main, [*run, "--results-dir", str(results)]).exit_code == 0
    record = json.loads((recorded_root() / "demo-x4-uestc/gsa.json").read_text())
    record["method"] |= {"name": "evil", "title": HOSTILE, "family": HOSTILE, "origin": "plugin"}
    (results / "demo-x4-uestc/evil.json").write_text(json.dumps(record))
    out = place / "report.html"
    done = CliRunner().invoke(main, ["report", "--results-dir", str(results), "--out", str(out)])
    assert done.exit_code == 0, done.output
    return out


class Opened:
    """A page in the browser; it must ask for nothing and complain of nothing."""

    def __init__(self, browser: Browser, file: Path, **settings: Any) -> None:
        self.context = browser.new_context(**{"viewport": {"width": 1400, "height": 900}, **settings})
        self.page: Page = self.context.new_page()
        self.asked: list[str] = []
        self.said: list[str] = []
        self.page.route("**/*", self._route)
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.goto(file.as_uri())
        self.own = file.as_uri()

    def _route(self, route: Any) -> None:
        self.asked.append(route.request.url)
        if route.request.url.startswith("file:") and len(self.asked) == 1:
            route.continue_()
        else:
            route.abort()

    def close(self) -> None:
        self.context.close()
        outside = [url for url in self.asked if not url.startswith("data:")]
        assert outside in ([], [self.own])
        assert self.said == []


@pytest.fixture
def opened(browser: Browser, file: Path) -> Iterator[Opened]:
    made = Opened(browser, file)
    yield made
    made.close()


@pytest.fixture
def demo(opened: Opened) -> Any:
    """Return the section of the demo's board."""
    return opened.page.locator("section.board", has=opened.page.locator("h2", has_text="demo"))


def titles(board: Any) -> list[str]:
    return board.locator(".ranking .measured tr:visible > th bdi").all_inner_texts()  # type: ignore[no-any-return]


def column(board: Any, name: str) -> list[float]:
    cells = board.locator(f'.ranking .measured tr:visible > td[data-column="{name}"]').all_inner_texts()
    return [float(text.split("±")[0].strip()) for text in cells if text != "-"]


def test_a_click_or_a_key_sorts_and_says_so(demo: Any) -> None:
    head = demo.locator('.ranking th[data-column="sam"]')
    assert column(demo, "psnr") == sorted(column(demo, "psnr"), reverse=True)
    head.locator("button").click()
    assert head.get_attribute("aria-sort") == "ascending"
    assert column(demo, "sam") == sorted(column(demo, "sam"))
    head.locator("button").press("Enter")
    assert head.get_attribute("aria-sort") == "descending"
    assert column(demo, "sam") == sorted(column(demo, "sam"), reverse=True)
    assert demo.locator(".ranking th[aria-sort]").count() == 1
    demo.locator('.ranking th[data-column="method"] button').press("Space")
    assert titles(demo)[:2] == sorted(titles(demo), key=str.lower)[:2]


def test_rows_without_a_value_stay_last(opened: Opened) -> None:
    board = opened.page.locator("section.board", has=opened.page.locator("h2", has_text="cave ×4"))
    button = board.locator('.ranking th[data-column="parameters"] button')
    for _ in range(2):
        button.click()
        cells = board.locator('.ranking .measured td[data-column="parameters"]').all_inner_texts()
        assert cells == sorted(cells, key=lambda text: text == "-")


def test_filters_leave_rows_of_a_family_or_of_what_was_told(opened: Opened) -> None:
    board = opened.page.locator("section.board", has=opened.page.locator("h2", has_text="cave ×4"))
    every = len(titles(board))
    dots = board.locator("[data-chart=trade] circle.dot").count()
    board.locator('[data-filter="family"]').select_option("cnn")
    assert sorted(titles(board)) == ["ConSSFCNN", "SSFCNN", "SSRNet"]
    assert board.locator("output.count").inner_text() == f"3 of {every} rows"
    assert board.locator("[data-chart=trade] circle.dot").count() == 3 < dots
    board.locator('[data-filter="family"]').select_option("")
    board.locator('[data-filter="told"]').select_option("nothing")
    assert "GSA = MTF-GLP-HS" not in titles(board)
    assert "FeINFN" in titles(board)
    board.locator('[data-filter="told"]').select_option("given")
    assert "FeINFN" not in titles(board)
    board.locator('[data-filter="told"]').select_option("")
    assert len(titles(board)) == every


def test_columns_are_chosen(demo: Any) -> None:
    assert not demo.locator('.ranking th[data-column="q2n"]').is_visible()
    demo.locator(".choice summary").click()
    demo.locator('[data-toggle="q2n"]').check()
    demo.locator('[data-toggle="psnr"]').uncheck()
    assert demo.locator('.ranking th[data-column="q2n"]').is_visible()
    assert demo.locator('.ranking td[data-column="q2n"]').first.is_visible()
    assert not demo.locator('.ranking td[data-column="psnr"]').first.is_visible()
    demo.locator('[data-toggle="psnr"]').press("Escape")
    assert not demo.locator('[data-toggle="psnr"]').is_visible()


def test_published_rows_can_be_hidden(opened: Opened) -> None:
    board = opened.page.locator("section.board", has=opened.page.locator("h2", has_text="cave ×4"))
    assert board.locator(".printed tr").first.is_visible()
    board.locator("[data-published]").uncheck()
    assert not board.locator(".printed tr").first.is_visible()


def test_a_dot_tells_its_row_by_pointing_and_by_focus(opened: Opened) -> None:
    board = opened.page.locator("section.board", has=opened.page.locator("h2", has_text="cave ×4"))
    board.locator("[data-chart=trade] select").select_option("parameters")
    dot = board.locator('[data-chart=trade] circle[aria-label^="FeINFN, "]').first
    tip = opened.page.locator("#tip")
    dot.hover()
    assert tip.inner_text().splitlines()[0] == "FeINFN"
    assert "50.15 dB, 3.165 M" in tip.inner_text()
    opened.page.mouse.move(0, 0)
    assert not tip.is_visible()
    dot.focus()
    assert tip.is_visible()
    opened.page.keyboard.press("Escape")
    assert not tip.is_visible()


def test_the_heat_map_shows_another_index(demo: Any, opened: Opened) -> None:
    table = demo.locator(".map")
    demo.locator("[data-heat]").select_option("sam")
    assert "lower is better" in table.locator("caption").inner_text()
    data = json.loads(opened.page.locator("#data").inner_text())
    (board,) = (each for each in data["boards"] if each["id"] == demo.get_attribute("id"))
    for place, row in enumerate(board["rows"]):
        assert table.locator("tbody tr").nth(place).locator("td").all_inner_texts() == row["scenes"]["sam"]
    first = [float(row["scenes"]["sam"][0]) for row in board["rows"]]
    best = table.locator("tbody tr").nth(first.index(min(first))).locator("td").first
    assert best.evaluate("each => each.style.getPropertyValue('--near')") == "1"


def test_the_slider_moves_by_the_arrow_keys(demo: Any) -> None:
    over = demo.locator(".slider .over")
    demo.locator('[data-pick="left"]').select_option(label="SFIM")
    assert over.get_attribute("alt").endswith(", SFIM")
    handle = demo.locator(".compare input")
    assert over.evaluate("each => each.style.clipPath") == "inset(0px 50% 0px 0px)"
    handle.press("ArrowRight")
    assert over.evaluate("each => each.style.clipPath") == "inset(0px 49% 0px 0px)"
    assert over.evaluate("each => each.naturalWidth") == 128


def test_one_lens_is_over_all_pictures(demo: Any, opened: Opened) -> None:
    tiles = demo.locator(".tiles")
    count = tiles.locator(".tile").count()
    assert count == 3
    demo.locator('[data-pick="kind"]').select_option("error")
    assert tiles.locator(".tile.error").count() == 2  # the reference has no error
    tiles.locator(".tile").nth(1).hover(position={"x": 30, "y": 30})
    assert tiles.locator(".lens").count() == count
    styles = set(tiles.locator(".lens div").evaluate_all("all => all.map(e => e.style.backgroundPosition)"))
    assert len(styles) == 1
    opened.page.mouse.move(0, 0)
    assert tiles.locator(".lens").count() == 0
    tiles.focus()
    opened.page.keyboard.press("ArrowRight")
    assert tiles.locator(".lens").count() == count
    before = tiles.locator(".lens div").first.evaluate("e => e.style.backgroundPosition")
    opened.page.keyboard.press("ArrowDown")
    assert tiles.locator(".lens div").first.evaluate("e => e.style.backgroundPosition") != before
    opened.page.keyboard.press("Escape")
    assert tiles.locator(".lens").count() == 0


def test_errors_have_the_colours_of_inferno(opened: Opened) -> None:
    opened.page.evaluate(
        """() => { document.body.replaceChildren(document.querySelector('svg'), ...[0, 64, 128, 191, 255].map(grey => {
        const each = document.createElement('div'); each.className = 'sample';
        each.style = `width: 40px; height: 40px; background: rgb(${grey}, ${grey}, ${grey}); filter: url(#inferno)`;
        return each; })); }"""
    )
    # what matplotlib has at 0, 1/4, 1/2, 3/4 and 1
    inferno = [(0, 0, 4), (87, 16, 110), (188, 55, 84), (249, 142, 9), (252, 255, 164)]
    for place, expected in enumerate(inferno):
        shot = opened.page.locator(".sample").nth(place).screenshot()
        with Image.open(io.BytesIO(shot)) as image:
            assert image.convert("RGB").getpixel((20, 20)) == pytest.approx(expected, abs=8)


def test_a_click_chooses_the_nearest_kept_pixel(demo: Any, opened: Opened) -> None:
    data = json.loads(opened.page.locator("#data").inner_text())
    (board,) = (each for each in data["boards"] if each["id"] == demo.get_attribute("id"))
    scene = board["pictures"]["scenes"][0]
    row, column_, _ = scene["pixels"][2]
    height, width = scene["size"]
    tile = demo.locator(".tile").nth(1)
    box = tile.bounding_box()
    tile.click(position={"x": (column_ + 0.5) / width * box["width"], "y": (row + 0.5) / height * box["height"]})
    assert demo.locator('[data-pick="pixel"]').input_value() == "2"
    assert f"row {row}, column {column_}" in demo.locator("[data-chart=spectra] svg").get_attribute("aria-label")
    assert demo.locator("[data-chart=spectra] path").count() == 3
    demo.locator('[data-pick="pixel"]').select_option("0")
    assert demo.locator(".tile").first.locator(".pixel.chosen").count() == 1


def test_a_row_leads_to_its_account(demo: Any, opened: Opened) -> None:
    demo.locator(".ranking th a").first.click()
    account = demo.locator("details.account").first
    assert account.locator(".again").is_visible()
    opened.page.keyboard.press("Enter")  # the focus is on its head
    assert not account.locator(".again").is_visible()


def test_hostile_titles_run_nothing(demo: Any, opened: Opened) -> None:
    assert any(title.startswith("</script>") for title in titles(demo))
    demo.locator("[data-heat]").select_option("ssim")
    assert opened.page.title() != "taken"
    opened.page.evaluate(
        "document.body.append(Object.assign(document.createElement('script'), {text: 'window.ran = 1'}))"
    )
    assert opened.page.evaluate("window.ran") is None
    assert len(opened.said) == 1  # the policy's complaint
    assert "Content Security Policy" in opened.said.pop()


def test_every_control_can_be_reached_and_has_a_name(opened: Opened) -> None:
    unnamed = opened.page.evaluate(
        """() => [...document.querySelectorAll('button, select, input, summary, a, [tabindex="0"], img')].filter(each =>
        !(each.getAttribute('aria-label') || each.alt || each.textContent.trim() && each.tagName !== 'SELECT'
          || each.labels && each.labels.length && each.labels[0].textContent.trim()))
        .map(each => each.outerHTML.slice(0, 80))"""
    )
    assert unnamed == []
    opened.page.keyboard.press("Tab")
    assert opened.page.evaluate("document.activeElement.textContent") == "To the tables"
    for _ in range(12):
        opened.page.keyboard.press("Tab")
        width = opened.page.evaluate("getComputedStyle(document.activeElement).outlineWidth")
        assert float(width.removesuffix("px")) >= 1
    positive = opened.page.locator("[tabindex]:not([tabindex='0']):not([tabindex='-1'])").count()
    assert positive == 0


CONTRAST = """() => {
  const light = text => { const [r, g, b] = text.match(/[\\d.]+/g).slice(0, 3).map(v => v / 255)
    .map(v => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4); return .2126 * r + .7152 * g + .0722 * b; };
  const behind = each => { for (; each; each = each.parentElement) {
    const color = getComputedStyle(each).backgroundColor;
    if (!/, 0\\)$/.test(color)) return color; } return 'rgb(255, 255, 255)'; };
  return [...document.querySelectorAll('h1, h2, p, td, th, dt, dd, a, label, caption, summary, li')]
    .filter(e => e.offsetParent && !e.closest('.map tbody')).map(each => {
    const [a, b] = [light(getComputedStyle(each).color), light(behind(each))].sort((x, y) => y - x);
    return (a + .05) / (b + .05); }).reduce((least, each) => Math.min(least, each), 21); }"""


@pytest.mark.parametrize("width", [360, 800, 1400])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_is_legible_at_every_width_light_and_dark(browser: Browser, file: Path, width: int, scheme: str) -> None:
    opened = Opened(browser, file, viewport={"width": width, "height": 800}, color_scheme=scheme)
    # nothing sticks out: wide tables scroll by themselves
    assert opened.page.evaluate("document.documentElement.scrollWidth") == width
    assert opened.page.evaluate(CONTRAST) >= 4.5
    dark = opened.page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(20, 23, 27)"
    assert dark == (scheme == "dark")
    opened.close()


def test_it_can_be_printed(opened: Opened, tmp_path: Path) -> None:
    opened.page.emulate_media(media="print", color_scheme="dark")
    assert opened.page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert not opened.page.locator(".controls").first.is_visible()
    assert opened.page.locator(".ranking").first.is_visible()
    assert opened.page.pdf(format="A4").startswith(b"%PDF")


def test_without_script_tables_and_accounts_are_there(browser: Browser, file: Path) -> None:
    opened = Opened(browser, file, java_script_enabled=False)
    assert opened.page.locator(".ranking").first.is_visible()
    assert opened.page.locator("noscript p").is_visible()
    opened.close()
