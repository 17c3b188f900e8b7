"""How people are reached: e-mail, telephone, web addresses, names of accounts, internet addresses."""

from __future__ import annotations

import re

import numpy as np

from fabrica.personal.detect.detector import Detector, checked
from fabrica.personal.sight import Sight

__all__ = ["DETECTORS", "EMAIL", "IP", "PHONE"]

EMAIL = r"[^@\s<>,;:\"()]+@(?:[\w\-]+\.)+[A-Za-z]{2,}"
IP = r"(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)"
IPV6 = (
    r"(?:[0-9A-Fa-f]{1,4}:){7}[0-9A-Fa-f]{1,4}|(?:[0-9A-Fa-f]{1,4}:){1,6}(?::[0-9A-Fa-f]{1,4}){1,6}"
    r"|(?:[0-9A-Fa-f]{1,4}:){1,7}:|::(?:[0-9A-Fa-f]{1,4}:){0,5}[0-9A-Fa-f]{1,4}"
)
MAC = r"[0-9A-Fa-f]{2}([:\-])[0-9A-Fa-f]{2}(?:[:\-][0-9A-Fa-f]{2}){4}|[0-9A-Fa-f]{4}\.[0-9A-Fa-f]{4}\.[0-9A-Fa-f]{4}"
UUID = r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}"
URL = r"(?:https?|ftp)://[^\s/]+\.[^\s]{2,}|www\.[\w\-.]+\.[a-z]{2,}(?:/\S*)?"
PHONE = (
    r"(?:\+|00)\d{1,3}[ .\-/]?(?:\(0?\d{1,5}\)[ .\-/]?)?\d{1,5}(?:[ .\-/]?\d{1,5}){1,5}(?: ?x\d+)?"
    r"|\(\d{2,5}\)[ .\-/]?\d{2,5}(?:[ .\-/]?\d{2,5}){1,3}(?: ?x\d+)?"
    r"|(?:1[ .\-])?[2-9]\d\d([.\- ])\d{3}[.\- ]\d{4}(?: ?x\d+)?"
    r"|0[1-9]\d{8,9}|0[1-9][\d ]{8,12}|0[1-9]\d{0,3}[ /\-.]\d{2,5}(?:[ .\-/]?\d{2,5}){0,4}|0\d(?:[ .\-]\d\d){4}"
    r"|[679]\d\d[ .\-]\d{3}[ .\-]\d{3}"
    r"|[679]\d\d[ .\-]\d\d[ .\-]\d\d[ .\-]\d\d|[6789]\d{8}|9\d[ .\-]\d{3}[ .\-]\d\d[ .\-]\d\d"
)
_LOOSE = r"[+(]?\d[\d ().\-/]{5,20}(?: ?(?:x|ext\.?) ?\d+)?"
_DIAL = (
    r"phone|phone_?(?:number|nr|no|num)|telephone|tel|telefon|telefono|telefonnummer|telefon_?nr|mobile"
    r"|mobile_?(?:phone"
    r"|number|no)|mobil|movil|cell|cellphone|cell_?phone|fax|fax_?(?:number|no)|msisdn|handy|portable"
    r"|home_?phone|contact"
    r"|gsm|numero_de_telephone|hp"
)
_USER = (
    r"user_?name|login|user|user_?id|account_?name|nick|nickname|nick_?name|screen_?name|benutzer(?:name)?|usuario"
    r"|utilisateur|identifiant|pseudo|uname"
)


def _phones(sight: Sight) -> np.ndarray:
    """Where hardly any value has a sign between its digits, they are plain numbers."""
    if sight.matches(r".*[ +().\-/].*").mean() < 0.3:
        return np.zeros(len(sight.texts), bool)
    return _dialled(sight, PHONE) & ~sight.matches(
        r"\d{3}-\d{2}-\d{4}|97[89]-.*|\d{1,2}([./\-])\d{1,2}\1\d{2,4}|(?:19|20)\d\d[.\-/ ]\d\d[.\-/ ].*"
    )


def _named(sight: Sight) -> np.ndarray:
    return _dialled(sight, f"{PHONE}|{_LOOSE}") & ~sight.matches(r"\d+\.\d+|\d{3}-\d{2}-\d{4}")


def _dialled(sight: Sight, pattern: str) -> np.ndarray:
    """Seven digits at least, fifteen at most (ITU-T E.164), but for extensions."""
    return checked(
        sight, pattern, lambda text: 7 <= sum(map(str.isdigit, re.split("x|ext", text)[0])) <= 15
    ) & ~sight.matches(IP)


def _users(sight: Sight) -> np.ndarray:
    """A word or two in small letters with a dot, a line or a number: rarely one that stands in a dictionary."""
    return sight.matches(r"[A-Za-z][A-Za-z0-9]*(?:[._\-][A-Za-z0-9]+)*[._\-]?\d{0,6}") & (sight.repetition < 20)


DETECTORS = (
    Detector(
        "email",
        "the form of e-mail addresses",
        lambda sight: sight.matches(EMAIL),
        r"e?_?mail(?:_?address)?",
        alone=0.8,
        hinted=0.5,
        weight=4,
    ),
    Detector(
        "url",
        "the form of web addresses",
        lambda sight: sight.matches(URL),
        r"url|web|website|homepage|link|www",
        hinted=0.5,
        weight=3,
    ),
    Detector(
        "ip",
        "four numbers up to 255",
        lambda sight: sight.matches(IP + r"(?:/\d\d?|:\d{2,5})?"),
        r"ip|ip_?address|host",
        fewest=2,
        weight=3,
    ),
    Detector(
        "ipv6",
        "eight groups of hexadecimal digits",
        lambda sight: sight.matches(f"(?:{IPV6})(?:/\\d+)?"),
        r"ip|ipv6|ip_?address",
        fewest=2,
        weight=3,
    ),
    Detector("mac", "six hexadecimal pairs", lambda sight: sight.matches(MAC), r"mac|mac_?address|hwaddr", weight=3),
    Detector(
        "device",
        "the form of UUIDs, and the column's name",
        lambda sight: sight.matches(UUID),
        r"device|device_?(?:id|uuid)|advertising_?id|idfa|gaid|cookie(?:_?id)?|user_?(?:id|uuid)|session_?id|geraet"
        r"|appareil|dispositivo",
        alone=2,
        weight=3,
    ),
    Detector("phone", "the form of telephone numbers", _phones, _DIAL, fewest=2, weight=1.5),
    Detector("phone", "seven to fifteen digits, and the column's name", _named, _DIAL, alone=2, hinted=0.8, weight=1.4),
    Detector(
        "handle",
        "@ before a word",
        lambda sight: sight.matches(r"@\w[\w.]{1,30}"),
        r"handle|twitter|instagram|social|tiktok|mastodon",
        weight=2,
    ),
    Detector("username", "the form of account names, and the column's name", _users, _USER, alone=2, weight=1.2),
)
