"""What is known of a life: date of birth, age, and numbers that an office has given out. Their forms are those of many
other columns, so that the column's name must speak for them too."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np

from fabrica.personal.detect.detector import Detector, checked
from fabrica.personal.sight import Sight

__all__ = ["DETECTORS"]

_BORN = (
    r"birth|birth_?(?:date|day|dt)|date_of_birth|dob|d_o_b|born|geburtsdatum|geburtstag|geboren|geb_?datum|naissance"
    r"|date_(?:de_)?naissance|ne_le|fecha_(?:de_)?nacimiento|nacimiento|fecha_nac|year_of_birth|birth_?year|yob|bdate"
)
_TRAVEL = (
    r"passport|passport_?(?:number|no|nr|num|id)|reisepass(?:_?(?:nr|nummer))?|passnummer|passeport"
    r"|num_passeport|pasaporte"
)
_DRIVE = (
    r"driv(?:er|ing|ers)_?(?:s_)?licen[cs]e(?:_?(?:number|no|nr|num))?|licen[cs]e_?(?:number|no|nr|num)"
    r"|dl_?(?:number|no)"
    r"|fuehrerschein(?:_?(?:nr|nummer))?|führerschein(?:_?(?:nr|nummer))?|permis(?:_de_conduire)?"
    r"|permiso_(?:de_)?conducir"
    r"|carnet_(?:de_)?conducir|licencia"
)
_RECORD = (
    r"mrn|medical_?record(?:_?(?:number|no|nr))?|record_?(?:number|no|nr)|patient_?(?:id|no|nr|number)"
    r"|patienten_?(?:id|nr"
    r"|nummer)|chart_?(?:no|number)|hospital_?(?:id|number)|case_?(?:id|no|nr|number)|fallnummer|subject_?id|hadm_?id"
    r"|icustay_?id|person_?id|numero_dossier|num_dossier|dossier|historia_clinica|nhc|encounter_?id|participant_?id"
)
_ACCOUNT = (
    r"account|account_?(?:number|no|nr|num)|acct(?:_?(?:no|num|number))?|bank_?account(?:_?(?:number|no))?"
    r"|konto(?:_?(?:nr"
    r"|nummer))?|compte|num_compte|numero_compte|cuenta|numero_(?:de_)?cuenta|num_cuenta"
)
_HEALTH = (
    r"health_?(?:id|number|insurance|plan|plan_?(?:id|number))|insurance_?(?:id|number|no|nr)|member_?(?:id"
    r"|number)|policy"
    r"_?(?:id|number|no)|versicherten_?(?:nr|nummer|id)|kvnr|krankenversicherten_?nummer|medicare(?:_?(?:id"
    r"|number))?|mbi"
    r"|nhs(?:_?(?:number|no))?|carte_vitale|num_mutuelle|mutuelle|tarjeta_sanitaria|cip"
)
_PLATE = (
    r"plate|plates|licen[cs]e_?plate|number_?plate|registration(?:_?(?:number|no|plate))?|reg_?(?:no|nr)|kennzeichen"
    r"|kfz_?kennzeichen|immatriculation|plaque|matricula|vehicle_?reg(?:istration)?"
)
_CODE = r"[A-Za-z0-9][A-Za-z0-9 .\-/]{4,22}"


def _dates(sight: Sight) -> np.ndarray:
    """Days of a human life, or its years."""

    def right(text: str) -> bool:
        years = [int(y) for y in re.findall(r"(?<!\d)(1[89]\d\d|2[01]\d\d)(?!\d)", text)]
        return bool(years) or re.fullmatch(r"\d{1,2}[./\-]\d{1,2}[./\-]\d{2}|\d{8}", text[:10]) is not None

    return checked(
        sight,
        r"[\d./\-]{4,10}(?:[T ][\d:.]+(?:Z|[+\-]\d\d:?\d\d)?)?|\d{1,2}\.? ?[\p{L}.]{3,10} \d{4}|[\p{L}.]{3,10}"
        r" \d{1,2}, \d{4}",
        right,
    )


def _ages(sight: Sight) -> np.ndarray:
    return checked(sight, r"\d{1,3}(?:\.0+)?", lambda text: float(text) <= 120)


def _codes(sight: Sight) -> np.ndarray:
    """Five characters or more, three digits among them, hardly any space."""
    return checked(sight, _CODE, lambda text: sum(map(str.isdigit, text)) >= 3 and text.count(" ") <= 5)


def _digits(fewest: int, most: int) -> Callable[[Sight], np.ndarray]:
    def test(sight: Sight) -> np.ndarray:
        return checked(sight, r"[\d \-]+(?:\.0)?", lambda text: fewest <= sum(map(str.isdigit, text)) <= most)

    return test


def _plates(sight: Sight) -> np.ndarray:
    return checked(
        sight,
        r"[A-Z0-9ÄÖÜ]{1,4}[ \-]?[A-Z0-9]{1,5}[ \-]?[A-Z0-9]{0,5}",
        lambda text: any(map(str.isdigit, text)) and any(map(str.isalpha, text)),
    )


DETECTORS = (
    Detector("birth_date", "days of a life, and the column's name", _dates, _BORN, alone=2, weight=2),
    Detector(
        "age",
        "whole numbers up to 120, and the column's name",
        _ages,
        r"(?<!_)(?:(?:patient|customer|person|user|client|employee|applicant|driver"
        r"|anchor)_)?age(?:_(?:in_)?years|_at_\w+)?$"
        r"|(?<!_)(?:alter|edad|age|idade|leeftijd)(?:_jahre|_anos)?$",
        alone=2,
        hinted=0.95,
        weight=2,
    ),
    Detector("passport", "letters and digits, and the column's name", _codes, _TRAVEL, alone=2, weight=2),
    Detector("licence", "letters and digits, and the column's name", _codes, _DRIVE, alone=2, weight=2),
    Detector("health_id", "letters and digits, and the column's name", _codes, _HEALTH, alone=2, weight=1.1),
    Detector("record", "letters and digits, and the column's name", _codes, _RECORD, alone=2, weight=1),
    Detector(
        "account",
        "six digits or more, and the column's name",
        lambda sight: sight.matches(r"[A-Z]{0,4}[\d \-/]{6,30}[A-Z0-9]{0,3}") & _codes(sight),
        _ACCOUNT,
        alone=2,
        weight=1.1,
    ),
    Detector(
        "national_id",
        "nine digits or more, and the column's name",
        _digits(9, 15),
        r"ssn|sin|nin|social_security(?:_(?:number|nr|no))?|national_(?:id|identity|insurance)"
        r"(?:_(?:number|nr|no))?|personal_id|steuer_?id(?:nr)?|dni|nir|citizen_id|aadhaar",
        alone=2,
        weight=1,
    ),
    Detector(
        "tax_id",
        "eight digits or more, and the column's name",
        lambda sight: checked(sight, r"[A-Z]{0,3} ?[\d \-./A-Z]{8,16}", lambda text: sum(map(str.isdigit, text)) >= 7),
        r"ein|tin|tax_?(?:id|number|nr|no)|taxpayer_id|steuernummer|steuer_?nr|vat_?(?:id|number|nr|no)|vat"
        r"|ust_?id(?:_?nr)?|siren"
        r"|siret|num_tva|tva|nif|cif|utr",
        alone=2,
        weight=1,
    ),
    Detector("plate", "the form of number plates, and the column's name", _plates, _PLATE, alone=2, weight=1.5),
)
