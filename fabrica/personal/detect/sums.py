"""Numbers with check digits: bank accounts, cards, national identities, taxes, health insurance, devices, vehicles.

The sums are those of python-stdnum, a library that keeps them for some ninety countries.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from importlib import import_module

import numpy as np

from fabrica.personal.detect.detector import CHANCE, Detector, checked
from fabrica.personal.sight import Sight

__all__ = ["DETECTORS", "valid", "vin"]

_ID = (
    r"ssn|sin|nin|nino|nir|dni|nie|nif|insee|social_security(?:_(?:number|nr|no))?|national_(?:id|identity|insurance)"
    r"(?:_(?:number|nr|no))?|personal_id|id_?number|identity|steuer_?id(?:nr)?|idnr|id_?nr|personalausweis"
    r"|numero_(?:de_)?securite_sociale|secu|documento|cedula|citizen_id"
)
_TAX = (
    r"vat|vat_?(?:id|number|nr|no)|ein|tin|tax|tax_?(?:id|number|nr|no)|taxpayer_id|ust_?id(?:_?nr)?|ustid|steuernummer"
    r"|tva|num_tva|siren|cif|nif|iva"
)
_CARD = r"card|cc|credit_?card|card_?(?:number|nr|no|num)|pan|kreditkarte|karten_?(?:nr|nummer)|carte|tarjeta"
_VALUES = {
    c: v
    for v, letters in enumerate(("0", "1AJ", "2BKS", "3CLT", "4DMU", "5ENV", "6FW", "7GPX", "8HY", "9RZ"))
    for c in letters
}
_WEIGHTS = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)


@cache
def valid(module: str) -> Callable[[str], bool]:
    """The check of one of python-stdnum's modules, imported when first asked for.

    >>> valid("luhn")("4111111111111111"), valid("luhn")("4111111111111112")
    (True, False)
    """
    check: Callable[[str], bool] = import_module(f"stdnum.{module}").is_valid
    return check


def vin(text: str) -> bool:
    """The check digit of a vehicle identification number (49 CFR 565.15).

    >>> vin("1M8GDM9AXKP042788"), vin("1M8GDM9A1KP042788")
    (True, False)
    """
    rest = sum(_VALUES[c] * w for c, w in zip(text.upper(), _WEIGHTS, strict=True)) % 11
    return text[8].upper() == ("X" if rest == 10 else str(rest))


def _bare(text: str) -> str:
    return re.sub(r"[\s.\-]", "", text)


def _number(
    kind: str,
    name: str,
    pattern: str,
    module: str,
    *,
    hint: str,
    locale: str = "",
    weight: float = 1.0,
    fewest: int = CHANCE,
) -> Detector:
    def test(sight: Sight) -> np.ndarray:
        return checked(sight, pattern, lambda text: valid(module)(text))

    return Detector(kind, name, test, hint, fewest=fewest, locale=locale, weight=weight)


def _cards(sight: Sight) -> np.ndarray:
    def right(text: str) -> bool:
        bare = _bare(text)
        return len(set(bare)) > 1 and valid("luhn")(bare)

    return checked(
        sight,
        r"[2-6]\d{3}[ \-]?\d{4}[ \-]?\d{4}[ \-]?\d{4}|4\d{12}|(?:4|62)\d{15,18}|3[47]\d{2}[ \-]?\d{6}[ \-]?\d{5}"
        r"|3[068]\d{12}|5[0678]\d{10,17}",
        right,
    )


def _imei(sight: Sight) -> np.ndarray:
    return checked(sight, r"\d{2}-?\d{6}-?\d{6}-?\d", lambda text: valid("luhn")(_bare(text)))


def _vins(sight: Sight) -> np.ndarray:
    return checked(sight, r"[A-HJ-NPR-Za-hj-npr-z\d]{8}[\dXx][A-HJ-NPR-Za-hj-npr-z\d]{6}\d{2}", vin)


def _european(sight: Sight) -> np.ndarray:
    return sight.matches(r"[A-HJ-NPR-Z\d]{17}") & ~sight.matches(r"\d+|[A-Z]+")


def _ssn(sight: Sight) -> np.ndarray:
    return sight.matches(
        r"(?:00[1-9]|0[1-9]\d|[1-9]\d\d)-(?:0[1-9]|[1-9]\d)-(?:000[1-9]|\d\d\d[1-9]|\d\d[1-9]\d|"
        r"\d[1-9]\d\d|[1-9]\d\d\d)"
    )


def _nino(sight: Sight) -> np.ndarray:
    return sight.matches(r"[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?\d{2} ?\d{2} ?\d{2} ?[A-D]")


def _nir(sight: Sight) -> np.ndarray:
    def right(text: str) -> bool:
        bare = _bare(text).upper()
        if len(bare) == 13:
            return True
        return int(bare[:13].replace("2A", "19").replace("2B", "18")) % 97 == 97 - int(bare[13:])

    return checked(
        sight, r"[1-478] ?\d{2} ?(?:0[1-9]|[1-4]\d|[5-9]\d) ?(?:\d{2}|2[AB]) ?\d{3} ?\d{3}(?: ?-?\d{2})?", right
    )


DETECTORS = (
    _number(
        "iban",
        "country, length and check digits",
        r"[A-Za-z]{2}\d{2}[A-Za-z0-9 ]{11,38}",
        "iban",
        hint="iban",
        fewest=1,
        weight=3,
    ),
    Detector("card", "the number's issuer, length and Luhn's sum", _cards, _CARD, fewest=CHANCE, weight=2.5),
    Detector(
        "vin", "17 characters with a check digit", _vins, r"vin|chassis|fahrgestellnummer|fin", weight=3, fewest=3
    ),
    Detector(
        "vin",
        "17 characters, and the column's name",
        _european,
        r"vin|chassis|fahrgestell(?:_?nummer)?|fin|bastidor",
        alone=2,
        weight=2,
    ),
    Detector("imei", "15 digits with Luhn's sum", _imei, r"imei", fewest=CHANCE, weight=1.8),
    Detector("national_id", "the form of US social security numbers", _ssn, _ID, locale="en_US", fewest=3, weight=2),
    Detector(
        "national_id", "the form of UK national insurance numbers", _nino, _ID, locale="en_GB", fewest=3, weight=2
    ),
    _number(
        "national_id",
        "German tax identity, with its check digit",
        r"\d{2} ?\d{3} ?\d{3} ?\d{3}",
        "de.idnr",
        hint=_ID,
        locale="de_DE",
        weight=2,
    ),
    Detector(
        "national_id",
        "French social security number, with its key",
        _nir,
        _ID + "|secu",
        locale="fr_FR",
        fewest=CHANCE,
        weight=2,
    ),
    _number(
        "national_id",
        "Spanish identity number, with its letter",
        r"\d{8}-?[A-Za-z]",
        "es.dni",
        hint=_ID,
        locale="es_ES",
        weight=2,
    ),
    _number(
        "national_id",
        "Spanish identity number of foreigners",
        r"[XYZxyz]-?\d{7}-?[A-Za-z]",
        "es.nie",
        hint=_ID,
        locale="es_ES",
        weight=2,
    ),
    _number(
        "national_id",
        "Italian tax code, with its letter",
        r"[A-Z]{6}\d{2}[A-EHLMPRST]\d{2}[A-Z]\d{3}[A-Z]",
        "it.codicefiscale",
        hint=_ID + "|codice_fiscale|cf",
        locale="it_IT",
        weight=2,
    ),
    _number(
        "national_id",
        "Dutch citizen number, with its check digit",
        r"\d{9}",
        "nl.bsn",
        hint=_ID + "|bsn",
        locale="nl_NL",
        weight=1.2,
    ),
    _number(
        "national_id",
        "Brazilian tax number, with its check digits",
        r"\d{3}\.?\d{3}\.?\d{3}-?\d{2}",
        "br.cpf",
        hint=_ID + "|cpf",
        locale="pt_BR",
        weight=1.6,
    ),
    _number(
        "health_id",
        "UK health service number, with its check digit",
        r"\d{3}[ \-]?\d{3}[ \-]?\d{4}",
        "gb.nhs",
        hint=r"nhs(?:_?(?:number|no|nr))?|health_?(?:id|number|no)|patient_?(?:id|no|nr)",
        locale="en_GB",
        weight=1.9,
    ),
    _number(
        "tax_id",
        "European VAT number, with its check digits",
        r"[A-Za-z]{2} ?[A-Za-z0-9. ]{7,14}",
        "eu.vat",
        hint=_TAX,
        fewest=3,
        weight=1.7,
    ),
    _number(
        "tax_id",
        "UK VAT number, with its check digits",
        r"(?:GB ?)?\d{3} ?\d{4} ?\d{2}",
        "gb.vat",
        hint=_TAX,
        locale="en_GB",
        weight=1.3,
    ),
    _number(
        "tax_id",
        "Spanish tax number, with its check digit",
        r"[A-HJ-NP-SUVW]-?\d{7}-?[A-J\d]",
        "es.cif",
        hint=_TAX,
        locale="es_ES",
        weight=1.7,
    ),
    _number(
        "wallet",
        "the checksum of bitcoin",
        r"[13][1-9A-HJ-NP-Za-km-z]{25,34}|bc1[0-9a-z]{11,71}",
        "bitcoin",
        hint=r"wallet|bitcoin|btc",
        fewest=1,
        weight=3,
    ),
    Detector(
        "bic",
        "the form of codes of banks",
        lambda sight: sight.matches(
            r"[A-Z]{4}(?:DE|FR|ES|IT|NL|AT|CH|BE|LU|PT|IE|GB|US|JP|CN|PL|SE|DK|NO|FI|CA|AU|BR"
            r"|IN)[A-Z0-9]{2}(?:[A-Z0-9]{3})?"
        ),
        r"bic|swift(?:_?code)?",
        alone=2,
        weight=1.5,
    ),
)
