"""The page in a real Chromium: no error, no request, by mouse and keyboard, on a phone, in the dark, on paper."""

from __future__ import annotations

import pytest
from browser import KEYS
from made_up import HOSTILE, made_up

from fabrica.page import page, summary

pytestmark = pytest.mark.browser

CONTRAST = """
const linear = (x) => x <= .03928 ? x / 12.92 : ((x + .055) / 1.055) ** 2.4;
const luminance = (c) => { const v = c.map((x) => linear(x / 255));
  return .2126 * v[0] + .7152 * v[1] + .0722 * v[2]; };
const parse = (s) => { const n = s.match(/[\\d.]+/g).map(Number);
  return n.length > 3 && n[3] === 0 ? null : n.slice(0, 3); };
const behind = (e) => { for (; e; e = e.parentElement) { const c = parse(getComputedStyle(e).backgroundColor);
    if (c) return c; }
  return [255, 255, 255]; };
const low = [];
for (const e of document.querySelectorAll("body *")) {
  if (e.closest("svg, script, style") || !e.checkVisibility()) continue;
  if (![...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim())) continue;
  const a = luminance(parse(getComputedStyle(e).color)), b = luminance(behind(e));
  const ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
  if (ratio < 4.5) low.push(e.tagName + "." + e.className + " " + ratio.toFixed(2));
}
return [...new Set(low)];
"""


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pages")
    for name, columns in (("plain", 15), ("hostile", HOSTILE), ("hundred", 100)):
        (folder / f"{name}.html").write_text(page(made_up(columns)), encoding="utf-8")
    fragment = "<!DOCTYPE html><meta charset=utf-8>" + summary(made_up(HOSTILE))
    (folder / "summary.html").write_text(fragment, encoding="utf-8")
    return folder


@pytest.fixture
def shown(browser, files):
    """The plain page, freshly opened on a desk."""
    browser.size(1280)
    browser.prefer(prefers_color_scheme="light")
    browser.open(files / "plain.html")
    return browser


@pytest.mark.parametrize("name", ["plain", "hostile", "hundred", "summary"])
def test_opens_silently_and_asks_nothing(browser, files, name):
    browser.console(), browser.requests()
    browser.open(files / f"{name}.html")
    assert browser.console() == []
    assert {address.split("/")[-1] for address in browser.requests()} == {f"{name}.html"}
    assert browser.js("return document.images.length") == 0


def test_styles_are_allowed_by_the_policy(shown):
    assert shown.js("return getComputedStyle(document.querySelector('.verdict')).display") == "grid"
    shown.js("document.body.insertAdjacentHTML('beforeend', '<p id=x style=\"position:fixed\">x</p>')")
    assert shown.js("return getComputedStyle(document.getElementById('x')).position") == "static"
    assert any("Content Security Policy" in line for line in shown.console())


def values(browser, column):
    script = "return [...document.querySelectorAll('#findings tbody tr')].map((r) => r.cells[arguments[0]].dataset.v)"
    return [float(v) for v in browser.js(script, column) if v not in (None, "")]


def test_tables_sort_by_mouse(shown):
    button = "#findings th:nth-child(4) button"
    shown.click(button)
    assert values(shown, 3) == sorted(values(shown, 3), reverse=True)
    shown.click(button)
    assert values(shown, 3) == sorted(values(shown, 3))
    assert shown.js("return document.querySelector('#findings th:nth-child(4)').ariaSort") == "ascending"
    assert shown.js("return document.querySelectorAll('#findings th[aria-sort]').length") == 1


@pytest.mark.parametrize("key", ["Enter", "Space"])
def test_tables_sort_by_keyboard(shown, key):
    shown.press("#findings th:nth-child(7) button", KEYS[key])
    assert values(shown, 6) == sorted(values(shown, 6), reverse=True)
    shown.press("#findings th:nth-child(1) button", KEYS[key])
    names = shown.js("return [...document.querySelectorAll('#findings tbody tr')].map((r) => r.cells[0].textContent)")
    assert [n.lower() for n in names] == sorted(n.lower() for n in names)


def test_rows_and_columns_are_found(shown):
    for wanted in ("usefulness", "utility"):  # the words for people and the name of the metric
        shown.js("document.getElementById('row-filter').value = ''")
        shown.press("#row-filter", wanted)
        assert shown.js("return document.querySelectorAll('#findings tbody tr:not([hidden])').length") == 1
    shown.press("#panel-filter", "column 14")
    assert shown.js("return document.querySelectorAll('.panel:not([hidden])').length") == 1


def test_small_multiples_open_and_change_their_order(shown):
    seen = "return [...document.querySelectorAll('.panel:not([hidden]) h3')].map((h) => h.textContent)"
    assert len(shown.js(seen)) == 12
    shown.press("#panel-all", KEYS["Enter"])
    assert len(shown.js(seen)) == 15
    shown.press("#panel-order", "as in")
    shown.press("#panel-order", KEYS["Enter"])
    assert shown.js(seen) == [f"column {i}" for i in range(15)]


def test_the_map_names_the_cell_under_the_pointer(shown):
    shown.js("""const h = document.getElementById('heat'), b = h.getBoundingClientRect();
        h.dispatchEvent(new PointerEvent('pointermove', {clientX: b.left + 5, clientY: b.top + b.height - 5}));""")
    said = shown.js("return document.getElementById('heat-under').textContent")
    assert said.startswith("column 14 × column 0: ") and "floor" in said


def test_colours_follow_the_system_and_the_button(browser, files):
    paper = "return getComputedStyle(document.body).backgroundColor"
    browser.prefer(prefers_color_scheme="dark")
    browser.open(files / "plain.html")
    dark = browser.js(paper)
    browser.press("#theme", KEYS["Enter"])
    light = browser.js(paper)
    browser.click("#theme")
    assert browser.js(paper) == dark != light
    assert browser.js("return document.getElementById('theme').ariaPressed") == "true"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_has_contrast(browser, files, scheme):
    browser.size(1280)
    browser.prefer(prefers_color_scheme=scheme)
    browser.open(files / "plain.html")
    assert browser.js(CONTRAST) == []


def test_contrast_bites(shown):
    shown.js("document.querySelector('.lead').style.setProperty('color', '#ccc')")
    assert len(shown.js(CONTRAST)) == 1


@pytest.mark.parametrize("width", [320, 360, 768])
@pytest.mark.parametrize("name", ["plain", "hostile", "hundred"])
def test_no_sideways_scrolling(browser, files, name, width):
    browser.size(width, 800, mobile=True)
    browser.open(files / f"{name}.html")
    assert browser.js("return document.documentElement.scrollWidth") <= width
    browser.size(1280)


def test_no_part_of_the_contents_is_cut_off_on_a_desk(browser, files):
    more = """const list = document.querySelector("nav.contents ul");
    for (let i = 0; i < 12; i++) list.append(list.children[0].cloneNode(true));
    return list.scrollWidth <= list.clientWidth;"""
    found = []
    for width in (500, 1200):
        browser.size(width, 800)
        browser.open(files / "plain.html")
        found.append(browser.js(more))
    browser.size(1280)
    assert found == [False, True]  # a narrow one may be scrolled


def test_keyboard_reaches_the_content_first(shown):
    shown.press("body", KEYS["Tab"])
    assert shown.js("return document.activeElement.className") == "skip"
    outline = "const s = getComputedStyle(document.querySelector('.skip')); return s.left + s.outlineStyle"
    assert shown.js(outline) == "0pxsolid"


def test_reads_without_script(browser, files):
    browser.tools("Emulation.setScriptExecutionDisabled", value=True)
    try:
        browser.open(files / "plain.html")
    finally:
        browser.tools("Emulation.setScriptExecutionDisabled", value=False)
    assert browser.js("return document.querySelectorAll('.panel:not([hidden])').length") == 15
    assert browser.js("return getComputedStyle(document.querySelector('.controls')).display") == "none"


def test_prints_light_and_open(browser, files):
    browser.prefer(prefers_color_scheme="dark")
    browser.open(files / "plain.html")
    assert browser.pdf().startswith(b"%PDF-")
    assert browser.js("return document.querySelectorAll('details:not([open])').length") == 0
    browser.tools("Emulation.setEmulatedMedia", media="print")
    assert browser.js("return getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert browser.js("return getComputedStyle(document.querySelector('.tone-good, .tone-near')).color") in (
        "rgb(26, 107, 74)", "rgb(122, 82, 0)")
    browser.tools("Emulation.setEmulatedMedia", media="")
