"""Where people live: streets with a number, cities, postal codes, degrees."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from fabrica.personal.detect.detector import Detector, checked
from fabrica.personal.sight import Sight

__all__ = ["DETECTORS"]

_AFTER = (
    r"street|st|avenue|ave?|road|rd|lane|ln|drive|dr|court|ct|boulevard|blvd|way|place|pl|terrace|square|sq"
    r"|parkway|pkwy"
    r"|circle|cir|crescent|close|highway|hwy|trail|loop|run|row|walk|hill|grove|gardens?|mews|gate|park|point|alley"
    r"|freeway|motorway|expressway|turnpike|island|islands|mall|plaza|path|pike|stravenue|valley|view|villages?"
    r"|well|wells"
    r"|ridges?|rue|port|pine|orchard|mount(?:ain)?|manors?|lodge|knolls?|junctions?|heights|harbors?|glens?|fords?|fork"
    r"|falls?|estates?|dale|creek|corners?|common|cliffs?|center|centers|bypass|brooks?|bridge|branch|bluffs?"
    r"|bend|bayou"
)
_STREETS = (
    rf"\d+[A-Za-z]?(?:[\-/]\d+)?,? (?:[\p{{L}}\d.'’\-]+ ){{1,5}}(?i:{_AFTER})s?\.?(?:[ ,].*)?",  # 12 Main St, Apt 3
    r"[\p{L}][\p{L} .\-]*(?i:stra(?:ss|ß)e|str\.?|weg|platz|allee|gasse|ring|damm|ufer|chaussee|hof|steig|laan"
    r"|straat|plein)"
    r",? \d+ ?[a-zA-Z]?(?:[,\n ].*)?",
    r"(?:\d+ ?(?i:bis|ter|quater)?[a-z]?,? )?(?i:rue|avenue|av\.|boulevard|bd|chemin|place|impasse|allées?|quai"
    r"|route|cours|"
    r"square|passage|voie) .+",
    r"(?i:calle|c/|c\.|avenida|avda\.?|av\.|plaza|pza\.?|paseo|ronda|camino|carrera|cuesta|glorieta|pasadizo|callejón|"
    r"via|viale|piazza|corso|rua|travessa|urbanización|alameda|vial|acceso|cañada|rambla) ?[\p{L} .'’\-]+,?"
    r" ?(?:n[º°o.]* ?)?\d+.*",
    r"(?i:po box|postfach|apartado|b\.?p\.?|unit|flat|studio|flats?) ?\d+.*",
)
_FORMS = r"(?:{})".format("|".join(_STREETS))
_ADDRESS = (
    r"address|address_?(?:line)?_?\d?|addr|street|street_?(?:address|name|1|2)?|strasse|straße|anschrift|adresse|adress"
    r"|rue|calle|direccion|domicilio|ship_?address|billing_?address|home_?address|hausanschrift|wohnort_strasse"
)
_CITY = (
    r"city|town|stadt|ort|wohnort|ville|commune|ciudad|municipio|localidad|poblacion|municipality|gemeinde|birth_?place"
    r"|geburtsort|cidade|post_?town|city_name|hometown"
)
_POST = (
    r"zip|zip_?code|zip5|postal|postal_?code|post_?code|plz|postleitzahl|cp|code_?postal|codigo_?postal|cod_?postal|cap"
)
_GB = r"(?:[A-Z]{1,2}\d[A-Z\d]?|GIR) ?\d[A-Z]{2}"
_POSTCODES = (
    rf"\d{{4,5}}(?:-\d{{3,4}})?|{_GB}|[A-Z]\d[A-Z] ?\d[A-Z]\d|\d{{4}} ?[A-Z]{{2}}"
    rf"|\d{{2,3}}[- ]\d{{2,4}}|\d{{3,5}}(?:\.0)?"
)
_DEGREES = r"[\-+]?\d{1,3}\.\d{2,}"


def _streets(sight: Sight) -> np.ndarray:
    """Streets with a number; sentences are none."""
    short = sight.matches(r"(?s:(?:[^\s]+\s+){0,11}[^\s]+)") & ~sight.matches(
        r"(?s:.*(?:@|://|[\p{L}]{4,}\. [\p{Lu}]).*)"
    )
    return sight.matches(f"(?s:{_FORMS})") & short


def _city(sight: Sight) -> np.ndarray:
    return sight.matches(r"[\p{L}][\p{L} .'’\-()/,]*")


def _pair(sight: Sight) -> np.ndarray:
    def right(text: str) -> bool:
        north, east = (float(part) for part in text.strip("()[]").replace(";", ",").split(","))
        return abs(north) <= 90 and abs(east) <= 180

    return checked(sight, rf"[(\[]?{_DEGREES}[,;] ?{_DEGREES}[)\]]?", right)


def _within(most: float) -> Callable[[Sight], np.ndarray]:
    def test(sight: Sight) -> np.ndarray:
        return checked(sight, r"[\-+]?\d{1,3}(?:\.\d+)?", lambda text: abs(float(text)) <= most)

    return test


DETECTORS = (
    Detector("address", "a street with a number", _streets, _ADDRESS, alone=0.5, hinted=0.3, fewest=10, weight=1.6),
    Detector(
        "address",
        "words and a number, and the column's name",
        lambda sight: (
            sight.matches(r"(?s:.*[\p{L}].*\d.*|.*\d.*[\p{L}].*)") & ~sight.matches(r"[^ ]*@[^ ]*|\S+://.*|\S+")
        ),
        _ADDRESS,
        alone=2,
        hinted=0.6,
        weight=1.0,
    ),
    Detector(
        "postcode",
        "the form of UK postcodes",
        lambda sight: sight.matches(_GB),
        _POST,
        locale="en_GB",
        fewest=10,
        weight=1.2,
    ),
    Detector(
        "postcode",
        "the form of postal codes, and the column's name",
        lambda sight: sight.matches(_POSTCODES),
        _POST,
        alone=2,
        hinted=0.8,
        weight=1.2,
    ),
    Detector("city", "words, and the column's name", _city, _CITY, alone=2, hinted=0.9, weight=1.0),
    Detector(
        "coordinates",
        "two numbers of degrees",
        _pair,
        r"coord(?:inate)?s?|lat_?l(?:o|)ng?|location|geo|position|gps",
        weight=2,
        fewest=2,
    ),
    Detector(
        "latitude",
        "numbers up to 90, and the column's name",
        _within(90.0),
        r"lat|latitude|breitengrad|latitud",
        alone=2,
        hinted=0.95,
        weight=1.5,
    ),
    Detector(
        "longitude",
        "numbers up to 180, and the column's name",
        _within(180.0),
        r"lon|lng|(?<!_)long$|(?:geo|start|end|pickup|stop|gps)_long|longitude|laengengrad|längengrad|longitud",
        alone=2,
        hinted=0.95,
        weight=1.5,
    ),
)
