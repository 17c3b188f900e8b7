"""Columns that say whose rows they are: named for people or households, of values that come again, with another column
that hardly changes from row to row of the same value.

Names alone take a count of customers for customers, and behaviour alone takes every key for people: a product has one
price, a city one country, a day one season. Both together are sharp. That a column hardly changes is no luck where
rows of one value agree in it far more often than any two rows do (a binomial test; by a permutation of the values they
would agree as often).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
from scipy.stats import binom

from fabrica.inference.facts import Facts
from fabrica.inference.markers import without
from fabrica.inference.references import fresh
from fabrica.notation.storage import flat
from fabrica.personal.sight import spoken
from fabrica.schema import Column, Table

__all__ = ["lasting", "with_units"]

_NAMED = re.compile(
    r"(?:^|_)(?:person|people|household|family|hh|customer|cust|client|user|member|patient|subject|participant|respondent"
    r"|employee|emp|worker|student|pupil|account|acct|owner|tenant|donor|voter|insured|policyholder|cardholder|subscriber"
    r"|guest|driver|rider|borrower|applicant|citizen|resident|child|mother|beneficiary)"
    r"(?:_?(?:id|ident|identifier|n[or]|num|number|key|code))?$|^(?:uid|ppid)$")
KINDS = ("category", "integer", "text", "key")  #: of columns that may say whose rows they are
LEAST, AGAIN = 20, 30  #: different values, and rows that repeat one
COARSE = 200  #: rows of one value on average, at most
COMMON = 0.9  #: how often any two rows may agree in the other column
AGREE, LUCK = 0.9, 1e-9  #: how often rows of one value do at least; and how likely chance may be


def with_units(table: Table, sample: pa.Table, known: Mapping[str, Facts], declared: Mapping[str, Any]
               ) -> tuple[Table, list[str]]:
    """``(table, notes)``: columns that say whose rows they are, and were not recognised yet, are made afresh.

    Parameters
    ----------
    table : as guessed so far. sample : its rows. known : what was seen of each column. declared : columns of which the
        user has said something; they stay as they are.
    """
    changed = {}
    for column in table.columns:
        if column.personal or column.name in declared or not _may_be(column) or not _NAMED.search(spoken(column.name)):
            continue
        if lasting(sample, column.name):
            made = column if column.refers else fresh(column, without(known[column.name], column.missing))
            if made.refers:
                changed[column.name] = replace(made, personal="record", why="says whose rows they are")
    notes = [f"column {name!r} seems to say whose rows they are: its values are made afresh" for name in changed]
    return table.with_columns(changed), notes


def _may_be(column: Column) -> bool:
    """Whether its values may be people's; a key of each row, and one that points at rows of this table, are of nobody
    with several rows."""
    if column.kind == "key":
        return column.refers and not column.notation.get("to")
    return column.kind in KINDS


def lasting(sample: pa.Table, name: str) -> str:
    """The column that changes least among rows of one value of ``name``, if that is no luck; "" where there is none.

    >>> who = [number % 40 for number in range(120)]
    >>> visits = pa.table({"who": who, "sex": [number % 2 for number in who], "day": list(range(120))})
    >>> lasting(visits, "who"), lasting(visits, "sex"), lasting(visits, "day")
    ('sex', '', '')
    """
    who = _codes(sample, name)
    there = np.nonzero(who >= 0)[0]
    kinds, first, of = np.unique(who[there], return_index=True, return_inverse=True)
    again = np.setdiff1d(np.arange(len(there)), first)
    if len(kinds) < max(LEAST, len(there) / COARSE) or len(again) < AGAIN:
        return ""
    found = {}
    for other in sample.column_names:
        cells = _codes(sample, other)[there]
        chance = float(((np.bincount(cells + 1) / len(cells)) ** 2).sum())
        hits = int((cells[again] == cells[first[of[again]]]).sum())
        agree, lucky = hits / len(again), binom.sf(hits - 1, len(again), chance) > LUCK
        if other != name and chance <= COMMON and agree >= max(AGREE, 1 - (1 - chance) / 5) and not lucky:
            found[other] = agree
    return max(found, key=lambda one: found[one], default="")


def _codes(sample: pa.Table, name: str) -> np.ndarray:
    """(rows,) a number for each different cell, -1 where there is none."""
    cells = flat(sample.column(name))
    coded = cells if pa.types.is_dictionary(cells.type) else cells.dictionary_encode()
    return np.asarray(coded.indices.fill_null(-1)).astype(np.int64)
