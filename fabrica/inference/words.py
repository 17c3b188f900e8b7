"""Columns of words: the two words of a boolean, levels with a known order, levels without one, free text."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import pyarrow.compute as pc

from fabrica.inference.facts import Facts
from fabrica.personal.scan import NAME, SCANNED, told

__all__ = ["boolean_words", "scale", "is_free_text", "speaks_of_people"]

SENTENCE = 4  #: words of a text, from where on it is no name of a level
SENTENCES = 0.2  #: of the rows, that hold sentences
PEOPLE = 0.02  #: of the sentences, that tell of somebody
LEVELS = 20  #: rows of each text, from where on the texts are levels
_PAIRS = (("false", "true"), ("no", "yes"), ("n", "y"), ("f", "t"), ("off", "on"))
_SCALES = [s.split(" < ") for s in (
    "none < very low < low < medium low < medium < moderate < average < medium high < high < very high < extreme",
    "low < mid < high", "low < normal < high < very high", "low < normal < above normal < well above normal",
    "small < medium < large", "tiny < small < medium < large < huge", "xxs < xs < s < m < l < xl < xxl < xxxl",
    "never < almost never < rarely < seldom < sometimes < occasionally < often < frequently < usually < almost always"
    " < always",
    "strongly disagree < disagree < somewhat disagree < slightly disagree < neutral < neither agree nor disagree"
    " < undecided < slightly agree < somewhat agree < agree < strongly agree",
    "very dissatisfied < dissatisfied < neutral < satisfied < very satisfied",
    "very poor < poor < fair < average < good < very good < excellent < outstanding",
    "very bad < bad < fair < good < very good", "fair < good < very good < premium < ideal",
    "none < mild < moderate < severe < very severe < critical", "absent < mild < moderate < severe",
    "low < moderate < high < critical", "info < low < medium < high < critical", "minor < major < critical < blocker",
    "first < second < third < fourth < fifth", "1st < 2nd < 3rd < 4th < 5th < 6th < 7th < 8th < 9th < 10th",
    "primary < secondary < tertiary", "bronze < silver < gold < platinum < diamond",
    "beginner < intermediate < advanced < expert",
    "young < middle aged < old", "child < teen < adult < senior", "slow < normal < fast", "cold < mild < warm < hot",
    "q1 < q2 < q3 < q4", "monday < tuesday < wednesday < thursday < friday < saturday < sunday",
    "mon < tue < wed < thu < fri < sat < sun",
    "january < february < march < april < may < june < july < august < september < october < november < december",
    "jan < feb < mar < apr < may < june < july < aug < sept < oct < nov < dec",
    "jan < feb < mar < apr < may < jun < jul < aug < sep < oct < nov < dec",
)] + [["jan", "feb", "mar", "apr", "may", "june", "jul", "aug", "sep", "oct", "nov", "dec"]]
_NUMBERED = re.compile(r"\s*(\d{1,3})\s*[-.:)=_]\s*[A-Za-z].*")
_RANGE = re.compile(r"\s*[\[(]?\s*(?:age\s*)?(\d+(?:\.\d+)?)\s*(?:-|–|to|,)\s*(\d+(?:\.\d+)?)\s*[\])]?"
                    r"(?:\s*[A-Za-z]+)?\s*", re.I)
_BELOW = re.compile(r"\s*(?:<=?|under|below|up to|less than)\s*(\d+(?:\.\d+)?)(?:\s*[A-Za-z]+)?\s*", re.I)
_ABOVE = re.compile(
    r"\s*(?:(?:>=?|over|above|more than)\s*(\d+(?:\.\d+)?)|(\d+(?:\.\d+)?)\s*(?:\+|and over|and older|or more|plus))"
    r"(?:\s*[A-Za-z]+)?\s*", re.I)


def boolean_words(facts: Facts) -> list[str] | None:
    """``[no, yes]`` as the column writes them; None where the two words are not such a pair."""
    if facts.distinct != 2:
        return None
    texts = facts.text.to_pylist()
    bare = [t.strip().lower() for t in texts]
    for no, yes in _PAIRS:
        if {no, yes} == set(bare):
            return [texts[bare.index(no)], texts[bare.index(yes)]]
    return None


def scale(facts: Facts) -> tuple[list[str], str] | None:
    """``(levels from low to high, why)`` where the words are a scale that everybody knows, or carry their order."""
    if not 3 <= facts.distinct <= 40:
        return None
    texts = facts.text.to_pylist()
    bare = [re.sub(r"[\s_-]+", " ", t.strip().lower()) for t in texts]
    if len(set(bare)) == len(bare):
        for known in _SCALES:
            if set(bare) <= set(known):
                return [t for _, t in sorted(zip(map(known.index, bare), texts, strict=True))], "a well-known scale"
    if (facts.counts < facts.k).any():
        return None  # these levels are the data's own words: a rare one is not written down
    for find, why in ((_numbers, "levels that begin with their rank"), (_bands, "bands of numbers")):
        ranks = find(texts)
        if ranks and len(set(ranks)) == len(ranks):
            return [t for _, t in sorted(zip(ranks, texts, strict=True))], why
    return None


def _numbers(texts: Sequence[str]) -> list[float] | None:
    found = [_NUMBERED.fullmatch(t) for t in texts]
    return [float(m[1]) for m in found if m] if all(found) else None


def _bands(texts: Sequence[str]) -> list[float] | None:
    """The low end of each band; None where a text is no band."""
    out, ranges = [], 0
    for t in texts:
        if m := _RANGE.fullmatch(t):
            if float(m[1]) > float(m[2]):
                return None
            out.append(float(m[1]))
            ranges += 1
        elif m := _BELOW.fullmatch(t):
            out.append(float(m[1]) - 1e9)
        elif m := _ABOVE.fullmatch(t):
            out.append(float(m[1] or m[2]) + 1e-9)
        else:
            return None
    return out if ranges else None


def is_free_text(facts: Facts) -> bool:
    """Whether the texts are (almost) each their own, or long sentences, rather than levels that come again.

    100,000 cities in five million rows are levels: what counts is how often a value comes in the whole table, estimated
    from the sample's singles and pairs.
    """
    if facts.distinct < 3:
        return False
    if facts.unique and facts.total <= facts.rows:
        return True
    words = float(np.average(_words(facts), weights=facts.counts))
    if words >= 8 and facts.repetition < 20 and facts.held < 0.9:
        return True
    if facts.distinct <= 50 and facts.repetition >= 2:
        return False
    return facts.repetition < 5 and facts.held < 0.3


def speaks_of_people(facts: Facts) -> bool:
    """Whether the texts are sentences of which some tell of people: by their addresses and numbers, or by names in
    texts that seldom come again (a stop of a bus line has a name in it too)."""
    sentences = facts.keep(_words(facts) >= SENTENCE)
    if sentences.present < SENTENCES * facts.present:
        return False
    shares = told(sentences.text)
    if facts.repetition >= LEVELS:
        shares.pop(SCANNED[NAME], None)
    return max(shares.values(), default=0.0) >= PEOPLE


def _words(facts: Facts) -> np.ndarray:
    return np.asarray(pc.count_substring(pc.utf8_trim_whitespace(facts.text), " ")) + 1
