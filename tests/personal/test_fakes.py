"""Fakes look right, are nobody's, agree within a person and are as many as there are people."""

from __future__ import annotations

import re
import unicodedata

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from stdnum import bitcoin, iban, imei, luhn
from stdnum.es import dni
from stdnum.fr import nir
from stdnum.gb import nhs

import fabrica
from fabrica.errors import SchemaError
from fabrica.inference import facts as values
from fabrica.inference.facts import Facts
from fabrica.inference.hand import hand
from fabrica.personal import SHARED, Sight, fakes, find
from fabrica.personal.detect import words
from fabrica.personal.detect.sums import vin
from fabrica.personal.fakes.coined import ENDINGS, WINDOWS, WORDS, coined, windows_hit
from fabrica.personal.fakes.given import GIVEN
from fabrica.personal.fakes.people import _PLAIN
from fabrica.personal.taken import Ranges, Runs, Slots, fixed
from fabrica.template import Template

COUNTRY = {"en_US": "DE", "en_GB": "GB", "de_DE": "DE", "fr_FR": "FR", "es_ES": "ES"}


def look(what: str, locale: str = "en_US", **more: object) -> dict:
    box = {"box": [40, 50, -5, 10]} if what == "coordinates" else {}
    return {
        "kind": "fake",
        "what": what,
        "locale": locale,
        **box,
        **({"country": COUNTRY[locale]} if what == "iban" else {}),
        **more,
    }


def made(what: str, locale: str = "en_US", rows: int = 2_000, seed: int = 7, **more: object) -> list[str]:
    return fakes.write(look(what, locale, **more), np.arange(rows), seed).to_pylist()


EVERY = [(what, locale) for what in fakes.MAKERS for locale in fakes.LOCALES]


@pytest.mark.parametrize(("what", "locale"), EVERY)
def test_fakes_are_unique_and_the_same_again(what, locale):
    one = made(what, locale, 20_000)
    assert what in SHARED or len(set(one)) == len(one)
    assert made(what, locale, 20_000) == one != made(what, locale, 20_000, seed=8)
    some = fakes.write(look(what, locale), np.array([5, 19_999]), 7).to_pylist()
    assert some == [one[5], one[19_999]]  # a row's fake does not depend on the others


@pytest.mark.parametrize("what", ["person", "email", "phone", "ip", "national_id", "tax_id", "address"])
@pytest.mark.parametrize("locale", fakes.LOCALES)
def test_beyond_their_number_fakes_stay_unique(what, locale):
    rows = np.concatenate([np.arange(1000) + lap * 65_536 for lap in range(6)])
    assert len(set(fakes.write(look(what, locale), rows, 3).to_pylist())) == len(rows)


SUMS = {"card": luhn.is_valid, "iban": iban.is_valid, "imei": imei.is_valid, "vin": vin, "wallet": bitcoin.is_valid}


@pytest.mark.parametrize("locale", fakes.LOCALES)
@pytest.mark.parametrize("what", list(SUMS))
def test_check_digits_hold(what, locale):
    assert all(map(SUMS[what], made(what, locale, 300)))


def test_check_digits_of_countries_hold():
    assert all(map(nir.is_valid, made("national_id", "fr_FR", 300))) and all(
        map(dni.is_valid, made("national_id", "es_ES", 300))
    )
    assert all(map(nhs.is_valid, made("health_id", "en_GB", 300)))
    german = made("national_id", "de_DE", 300)
    assert all(v[0] == "0" and len(v) == 11 and sorted(map(v[:10].count, set(v[:10])))[-1] == 2 for v in german)


RESERVED = {
    ("email", "en_US"): r"[^@]+@example\.(com|org|net)",
    ("url", "en_US"): r"https://www\.example\.com/.+",
    ("phone", "en_US"): r"[2-9]\d\d-555-01\d\d",
    ("phone", "fr_FR"): r"0(1 99 00|2 61 91|3 53 01|4 65 71|5 36 49|6 39 98) \d\d \d\d",
    ("ip", "en_US"): r"(192\.0\.2|198\.51\.100|203\.0\.113|198\.1[89]\.\d+)\.\d+",
    ("mac", "en_US"): r"02(:[0-9a-f]{2}){5}",
    ("ipv6", "en_US"): r"2001:0db8(:[0-9a-f]{4}){6}",
    ("national_id", "en_US"): r"9\d\d-1\d-\d{4}",
    ("national_id", "en_GB"): r"QQ \d\d \d\d \d\d [ABCD]",
    ("iban", "de_DE"): r"DE\d\d0{8}\d{10}",
    ("card", "en_US"): r"400000\d{10}",
}


@pytest.mark.parametrize(("what", "locale"), list(RESERVED))
def test_fakes_come_from_ranges_that_are_kept_for_them(what, locale):
    assert all(re.fullmatch(RESERVED[what, locale], v) for v in made(what, locale))


def ascii_word(name):
    """A name as an address writes it: German vowels in two letters, other signs away."""
    spelt = "".join({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss"}.get(c, c) for c in name.lower())
    return "".join(c for c in unicodedata.normalize("NFD", spelt) if c.isascii() and c.isalpha())


@pytest.mark.parametrize("locale", fakes.LOCALES)
def test_columns_of_a_person_agree(locale):
    names, mails, towns, codes = (made(what, locale, 500) for what in ("person", "email", "city", "postcode"))
    given, family = made("given_name", locale, 500), made("surname", locale, 500)
    for i in range(500):
        assert names[i] == f"{given[i]} {family[i]}"
        assert mails[i].split("@")[0] == f"{ascii_word(given[i])}.{ascii_word(family[i])}"
    assert len(set(zip(towns, codes, strict=True))) == len(set(codes)) > 50  # a code has one town
    assert made("person", locale, 500, role="sender") != names


def test_the_same_person_comes_again_in_every_column_and_table():
    mail, name = (made(what, "de_DE", 3000, people=80) for what in ("email", "person"))
    pairs = set(zip(mail, name, strict=True))
    assert len(pairs) == len(set(mail)) == 80
    other = dict(zip(*(made(what, "de_DE", 500, people=80) for what in ("email", "person")), strict=True))
    assert all((m, n) in pairs for m, n in other.items())


def test_layouts_and_capitals_are_those_of_the_real_ones():
    assert re.fullmatch(r"\d{4} \d{4} \d{4} \d{4}", made("card", layout="#### #### #### ####")[0])
    assert re.fullmatch(r"\(\d{3}\) 555-01\d\d", made("phone", layout="(###) ###-####")[0])
    assert re.fullmatch(r"[A-ZÀ-Þ]+, [A-ZÀ-Þ]+", made("person", case="upper", order="family")[0])
    assert re.fullmatch(r"02(-[0-9A-F]{2}){5}", made("mac", case="upper", layout="##-##-##-##-##-##")[0])


def test_coined_words_are_no_listed_names_and_windows_are_apart():
    for locale in fakes.LOCALES:
        seen = [set(coined(locale, w, np.arange(WORDS)).to_pylist()) for w in range(WINDOWS)]
        assert all(len(one) == WORDS for one in seen) and len(set().union(*seen)) == WINDOWS * WORDS
        assert not {words.folded(w) for w in seen[0]} & words.surnames()
        hit = windows_hit(locale, pa.array([min(seen[3]).lower()]))
        assert np.flatnonzero(hit).tolist() == [3]


def test_given_names_differ_also_in_addresses():
    def plain(text: str) -> str:
        text = text.lower()
        for found, said in _PLAIN:
            text = re.sub(found, said, text)
        return text

    for locale, names in GIVEN.items():
        assert len({plain(n) for n in names}) == len(names) == 64 and all(plain(n).isascii() for n in names), locale
    for tongue, endings in ENDINGS.items():
        assert all(plain(e).isascii() for e in endings), tongue


@pytest.mark.parametrize("locale", fakes.LOCALES)
@pytest.mark.parametrize("what", ["email", "phone", "card", "iban", "mac", "ip", "ipv6", "url", "address", "vin"])
def test_fakes_are_recognised_as_what_they_stand_for(what, locale):
    found = find(Sight.of(what, made(what, locale, 300)))
    assert found is not None and found.kind == what


@pytest.mark.parametrize(
    "wrong",
    [
        {"what": "soul"},
        {"locale": "xx"},
        {"people": 0},
        {"people": True},
        {"window": WINDOWS},
        {"layout": "4111 ####"},
        {"secret": 1},
        {"box": [0, 1, 2, 3]},
        {"role": 5},
        {"lead": "12"},
    ],
)
def test_a_look_that_makes_no_sense_is_refused(wrong):
    from fabrica.codecs.key import _look
    from fabrica.schema import Column

    said = {**look("email"), **wrong}
    assert not fakes.known(said)
    with pytest.raises(SchemaError):
        _look(Column("mail", "key", notation=said))


RANGED = [
    ("card", "en_US"),
    ("imei", "en_US"),
    ("vin", "en_US"),
    ("mac", "en_US"),
    ("health_id", "en_GB"),
    ("ip", "en_US"),
] + [(what, locale) for what in ("iban", "phone", "national_id", "tax_id") for locale in fakes.LOCALES]


@pytest.mark.parametrize(("what", "locale"), RANGED)
def test_no_fake_is_a_real_value_where_these_lie_in_its_range(what, locale):
    """A table that holds fakes itself: its values are taken for real, and none of them comes again."""
    real = made(what, locale, 5_000)
    taken = [v for v in real if v[3:].count("1") < 40][::700]
    ranges = Ranges(what, locale)
    ranges.look(pa.array(taken))
    if (what, locale) == ("national_id", "de_DE"):
        assert not ranges.free  # said in a note: no digit of these can be fixed
        return
    assert ranges.free and ranges.leads, "the range is known"
    assert set(made(what, locale, 5_000)) & set(taken)
    for seed in (7, 8):
        assert not set(made(what, locale, 5_000, seed=seed, **ranges.lead())) & set(taken)


def test_templates_begin_with_what_no_real_value_has():
    real = [f"K-{n:06}" for n in range(100_000, 180_000, 13)]
    slots = Slots(Template.of("K-######"))
    slots.look(pa.array(real))
    lead = slots.lead(6_000)
    text = fixed("K-######", lead)
    assert not set(Template.of(text).write(np.arange(Template.of(text).capacity)).to_pylist()) & set(real)
    slots.look(pa.array([f"K-{n:06}" for n in range(0, 10**6, 97)]))
    assert slots.lead(6_000) is None  # too dense: said in a note
    assert slots.fresh("K-######", 600_000) is None  # nor would there be enough of them


def test_where_real_values_fill_a_template_fresh_ones_have_another_of_the_characters_that_all_share():
    real = [f"P1{n:04}" for n in range(0, 10_000, 3)] + ["P20000"]
    slots = Slots(Template.of("P1####"))
    slots.look(pa.array(real))
    text = slots.fresh("P1####", 4_000)
    made = set(Template.of(text).write(np.arange(10_000)).to_pylist())
    assert len(made) == 10_000 and not made & set(real)
    assert set(Template.of("P1####").write(np.arange(4_000)).to_pylist()) & set(real)  # careless: as they are written
    assert slots.fresh("P1####", 6_000) is None


@pytest.mark.parametrize(("notation", "real", "start"), [
    ({"prefix": "P", "width": 7, "start": 1}, [f"P{n:07}" for n in range(1, 1_501)], 10_000),
    ({"start": 1}, ["1", "2", "999", "A7"], 1_000), ({"start": 1000}, ["1.0", "2.0"], 1_000),
    ({"step": -1}, ["1"], None)])
def test_running_numbers_of_people_begin_where_no_real_one_reaches(notation, real, start):
    runs = Runs(notation)
    runs.look(pa.array(real))
    assert runs.start(2_000) == start
    assert Runs(notation, 127).start(2_000) is None  # there is no room for so many


def test_a_twin_has_no_real_number_of_a_person():
    random = np.random.default_rng(5)
    for numbers in (range(1, 901), 4_000 + random.permutation(4_000)[:900]):
        table = pd.DataFrame({"patient_id": [f"P{n:07}" for n in numbers], "age": random.integers(18, 90, 900)})
        made = fabrica.fit(table, engine="independent").sample(900)
        assert made["patient_id"].is_unique and not set(made["patient_id"]) & set(table["patient_id"])


def test_the_box_of_points_reaches_no_farther_than_enough_of_them_do():
    random = np.random.default_rng(3)
    near = [f"{lat:.4f}, {lon:.4f}" for lat, lon in random.uniform(50.1, 50.9, (40, 2))]
    far = [f"-33.{n}, 151.{n}" for n in range(1, values.K + 1)]

    def box(points):
        return hand("coordinates", Facts.of("where", pa.chunked_array([points])))["box"]

    assert box(near + far[1:]) == [50, 51, 50, 51]  # four of 44 are more than one in twenty, and fewer than k
    assert box(near + far)[0] == -34
