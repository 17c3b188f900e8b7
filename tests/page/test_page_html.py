"""The page as a file: well-formed, self-contained, escaped, complete, small."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from html.parser import HTMLParser
from itertools import pairwise

import pytest
from made_up import HOSTILE, made_up

from fabrica.page import page, summary, text
from fabrica.report import Finding, Report

VOID = {"meta", "link", "br", "img", "input", "hr"}
LEAF = {"path", "line", "rect", "circle"}  # SVG shapes, closed in their own tag


class Reader(HTMLParser):
    """Every element with its attributes, all text, and what does not balance."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.open: list[str] = []
        self.wrong: list[str] = []
        self.inside: dict[str, list[str]] = {}
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        names = [name for name, _ in attrs]
        if len(names) != len(set(names)):
            self.wrong.append(f"<{tag}> has an attribute twice")
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.wrong.append(f"</{tag}> closes nothing")

    def handle_data(self, data):
        self.text.append(data)
        if self.open:
            self.inside.setdefault(self.open[-1], []).append(data)

    def all(self, tag):
        return [attrs for name, attrs in self.elements if name == tag]


def test_a_quiet_summary_has_no_notes():
    assert "note: Column" in text(made_up()) and "note: " not in text(made_up(), quiet=True)


def test_a_decision_of_the_gate_stands_first_with_what_was_not_asked():
    plain = made_up()
    tests = [{"name": name, "verdict": name, "why": f"why {name}"} for name in ("PASS", "INCONCLUSIVE", "FAIL")]
    gate = {"verdict": "FAIL", "tier": "partner", "policy": {"name": "house"}, "tests": tests, "attempts": 2,
            "unasked": ["representation: nobody said of whom"]}
    read = page(Report(plain.findings, {**plain.facts, "gate": gate}, plain.drawings))
    order = ["May these rows be given away at tier partner?", "why FAIL", "why INCONCLUSIVE", "why PASS",
             "nobody said of", "Grade"]
    places = [read.index(words) for words in order]
    assert places == sorted(places) and "May these rows be" not in page(plain) and "not asked" not in page(plain)
    assert "partner? – FAIL</title>" in read and not Reader(read).wrong


@pytest.fixture(scope="module")
def html():
    return page(made_up())


@pytest.fixture(scope="module")
def hostile():
    return page(made_up(HOSTILE))


@pytest.fixture(scope="module", params=["plain", "hostile", "one", "hundred", "empty", "drawn"])
def any_page(request):
    """Pages of many reports."""
    reports = {"plain": made_up, "hostile": lambda: made_up(HOSTILE), "one": lambda: made_up(1),
               "hundred": lambda: made_up(100), "empty": lambda: Report(()),
               "drawn": lambda: Report((), {}, made_up(3).drawings)}
    return page(reports[request.param]())


def test_balanced(any_page):
    read = Reader(any_page)
    assert read.wrong == [] and read.open == []


def test_reader_bites():
    assert Reader("<p><b></p></b>").wrong


def test_nothing_is_asked_from_outside(any_page):
    read = Reader(any_page)
    for tag, attrs in read.elements:
        assert tag not in {"link", "img", "iframe", "object", "embed", "base", "form", "audio", "video", "use", "image"}
        for name in ("src", "href", "action", "srcset", "data", "xlink:href", "poster"):
            assert str(attrs.get(name) or "#").startswith("#"), (tag, name, attrs)
        assert not [name for name in attrs if name.startswith("on") or name == "style"]
    style = "".join(read.inside["style"])
    assert "url(" not in style and "@import" not in style


def test_policy_names_exactly_what_is_in_the_file(any_page):
    read = Reader(any_page)
    policy = next(m["content"] for m in read.all("meta") if m.get("http-equiv") == "Content-Security-Policy")
    script = any_page.rsplit("<script>", 1)[1].split("</script>")[0]
    style = any_page.split("<style>", 1)[1].split("</style>")[0]
    for part, body in (("script-src", script), ("style-src", style)):
        digest = base64.b64encode(hashlib.sha256(body.encode()).digest()).decode()
        assert f"{part} 'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none'") and "unsafe" not in policy


def test_hostile_names_stay_text(hostile):
    read = Reader(hostile)
    assert len(read.all("script")) == 2 and len(read.all("style")) == 1
    assert not read.all("img") and not read.all("b")
    shown = "".join(read.text)
    for name in ("<script>alert(1)</script>", '"><img src=x onerror=alert(2)>', "{{7*7}}", "</style><b>x", "&lt;b&gt;"):
        assert name in shown
    assert "49" not in re.findall(r"<h3[^>]*><bdi>([^<]*)</bdi>", hostile)


def test_no_character_that_html_forbids_or_that_turns_text(hostile):
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069\ud800-\udfff]", hostile)
    hostile.encode("utf-8")


def test_data_in_a_script_cannot_close_it(hostile):
    data = hostile.split('id="heat-data">', 1)[1].split("</script>", 1)[0]
    assert "<" not in data and json.loads(data)["names"][0] == HOSTILE[0]


def test_hundred_columns_are_small():
    assert len(page(made_up(100)).encode()) < 2_000_000


def test_hundred_columns_with_long_names_stay_under_five_megabytes():
    assert len(page(made_up([f"{i} " + "long name " * 50 for i in range(100)])).encode()) < 5_000_000


def test_very_many_columns_stay_small_and_say_what_is_left_out():
    html = page(made_up(260))
    assert len(html.encode()) < 5_000_000
    assert "60 others have no picture here" in html and "140 others are only in the JSON file" in html


def test_every_finding_stands_in_the_table(html):
    table = html.split('id="findings"', 1)[1].split("</table>", 1)[0]
    assert table.count("<tr data-metric") == len(made_up().findings)


def test_pairs_beyond_the_table_stand_in_the_matrix():
    report = made_up(30)
    html = page(report)
    rows = html.split('id="findings"', 1)[1].split("</table>", 1)[0].count("<tr data-metric")
    assert f"{len(report.findings) - rows:,} more findings, none" in html
    assert html.split('class="matrix', 1)[1].split("</table>", 1)[0].count("<td>") == 1 + 30 * 29 // 2


def test_every_problem_is_told():
    report = Report((Finding("shape", None, ("a",), problem="nothing <here>"),
                     Finding("strange", None, problem="why not")))
    shown = "".join(Reader(page(report)).text)
    assert "nothing <here>" in shown and "why not" in shown


def test_headings_descend_without_a_gap(any_page):
    levels = [int(tag[1]) for tag, _ in Reader(any_page).elements if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(b <= a + 1 for a, b in pairwise(levels))


def test_every_picture_has_words(any_page):
    for svg in Reader(any_page).all("svg"):
        assert svg.get("aria-hidden") == "true" or (svg.get("role") == "img" and len(svg.get("aria-label") or "") > 3)


def test_landmarks_language_and_labels(any_page):
    read = Reader(any_page)
    assert read.all("html")[0]["lang"] == "en"
    assert all(len(read.all(tag)) == 1 for tag in ("main", "footer", "nav", "header"))
    assert "<title>" in any_page.split("</head>")[0]
    ids = [attrs["id"] for _, attrs in read.elements if "id" in attrs]
    assert len(ids) == len(set(ids))
    for _, attrs in read.elements:
        target = attrs.get("aria-labelledby") or (attrs.get("href") or "").removeprefix("#")
        assert not target or target in ids


def test_dates_have_a_calendar():
    drawing = {"kind": "date", "edges": [19000.5, 19010.5, 19020.5], "real": [0.5, 0.5], "synthetic": [0.4, 0.6],
               "missing": {"real": 0, "synthetic": 0}}
    assert "2022-01-09" in page(Report((), {}, {"columns": {"day": drawing}}))


@pytest.mark.parametrize("drawing", [{}, {"edges": [], "real": [], "synthetic": []}, {"real": [1.0]}, {"levels": []},
                                     {"edges": [1.0, 1.0], "real": [1.0], "synthetic": [1.0]},
                                     {"edges": [0.0, float("inf")], "real": [float("nan")], "synthetic": [1e308]},
                                     {"levels": ["a"], "real": [1.0], "synthetic": [0.0], "other": None}])
def test_a_poor_drawing_is_no_accident(drawing):
    html = page(Report((), {}, {"columns": {"a": drawing}}))
    assert Reader(html).wrong == [] and not re.search(r' d="[^"]*(nan|inf)', html)


def test_summary_is_scoped_and_silent():
    for report in (made_up(), made_up(HOSTILE), Report(())):
        read = Reader(summary(report))
        assert read.wrong == [] and not read.all("script") and read.elements[0] == ("div", {"class": "fabrica-report"})
        rules = [line for line in "".join(read.inside["style"]).splitlines() if "{" in line]
        assert all(line.startswith(".fabrica-report") for line in rules)


def test_text_is_short_aligned_and_plain():
    said = text(made_up())
    lines = said.splitlines()
    assert 10 <= len(lines) <= 25 and max(map(len, lines)) <= 130
    assert "\x1b" not in said and "\x1b" not in text(made_up(HOSTILE))
    assert "\x1b[" in text(made_up(), colour=True)
    table = [line for line in lines if "real rows score" in line][:5]
    assert len({line.index("real rows score") for line in table}) == 1
    assert text(Report(()))


@pytest.mark.parametrize(("floor_from", "words"), [
    ("bootstrap of the original", "as many real rows score 0.30 %"),
    ("holdout", "a real holdout scores 0.30 %"), ("halves of the original", "halves of the original score 0.30 %")])
def test_the_page_says_whose_score_the_floor_is(floor_from, words):
    found = [Finding("shape", 0.4, place, unit="%", floor=0.3, detail={"floor_from": floor_from})
             for place in ((), ("pay",))]
    report = Report(tuple(found), {}, {"columns": {"pay": {"kind": "decimal", "edges": [0, 1, 2], "real": [0.5, 0.5],
                                                           "synthetic": [0.4, 0.6], "missing": {}}}})
    assert page(report).count(words) >= 3 and words in text(report)
