"""Numbers that look right and are nobody's: their check digits hold, and they come from ranges that are reserved, or
that no office has given out, wherever there are such.

Each kind is a template of free digits and the step that closes it; the closed number is laid out as the real ones are.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from fabrica.personal.fakes import digits
from fabrica.personal.fakes.people import Look, Texts, cased
from fabrica.template import DIGITS, SLOTS, Template, stirred, strings

__all__ = ["ACCOUNTS", "IDENTITIES", "MAKERS", "TAXES", "free", "laid"]

Close = Callable[[np.ndarray], np.ndarray]
ACCOUNTS = {
    "DE": ("0" * 8 + "#" * 10, None),
    "GB": ("XXXX000000########", None),
    "ES": ("0" * 8 + "#" * 10, digits.cin),
    "FR": ("0" * 10 + "#" * 11, lambda p: _rib(p)),
    "NL": ("XXXX0#########", None),
    "AT": ("0" * 5 + "#" * 11, None),
    "CH": ("0" * 5 + "#" * 12, None),
    "IT": ("X" + "0" * 10 + "#" * 12, None),
    "PL": ("0" * 8 + "#" * 16, None),
}


def free(text: str, lead: str = "") -> Template:
    """``#`` a digit, ``n`` one that is not 0, ``m`` from 2 on, ``x`` hexadecimal, ``s`` 1 or 2, ``%`` A to D; all else
    stands for itself. The first digit is ``lead`` where that is said: no real value in the range has it there."""
    slots = {"#": DIGITS, "n": DIGITS[1:], "m": DIGITS[2:], "x": SLOTS["x"], "s": "12", "%": "ABCD"}
    places = [slots.get(c, c) for c in text]
    at = next((i for i, c in enumerate(text) if c in "#x"), -1)
    if lead and at >= 0:
        places[at] = lead
    return Template(tuple(places))


def laid(points: np.ndarray, layout: str) -> Texts:
    """(n, w) characters put into the ``#`` of a layout, where it has as many; else as they are."""
    if layout.count("#") == points.shape[1]:
        out = np.tile(np.array([ord(c) for c in layout], np.uint32), (len(points), 1))
        out[:, [i for i, c in enumerate(layout) if c == "#"]] = points
        points = out
    return strings(points)


def _written(people: np.ndarray, text: str, close: Close | None, look: Look, shift: int, layout: str = "") -> Texts:
    """Fakes of one template; from the second lap on with its number behind them."""
    template = free(text, look.get("lead", ""))
    lap, here = np.divmod(people, min(template.capacity, 1 << 62))
    points = template.points(here, shift)
    points = close(points) if close else points
    wanted = look.get("layout") or layout
    if wanted.count("#") < points.shape[1] and wanted.count("#") == points.shape[1] - 2:  # no country before it
        points = points[:, 2:]
    found = cased(laid(points, wanted), look)
    if not lap.any():
        return found
    more = pc.if_else(pa.array(lap > 0), pa.array(lap + 1).cast(pa.string()), "")
    return pc.binary_join_element_wise(found, more, "")


def card(people: np.ndarray, look: Look, shift: int) -> Texts:
    """Numbers of the ranges with which payment services test."""
    size = look.get("layout", "").count("#") or 16
    text = "37000" + "#" * 9 if size == 15 else "400000" + "#" * (size - 7)
    return _written(people, text, digits.luhn, look, shift)


def imei(people: np.ndarray, look: Look, shift: int) -> Texts:
    return _written(people, "0010" + "#" * 10, digits.luhn, look, shift)  # 001: for tests (3GPP TS 23.003)


def vin(people: np.ndarray, look: Look, shift: int) -> Texts:
    return _written(people, "0FKZX###0#A######", digits.vin, look, shift)  # no country begins with 0 (ISO 3780)


def iban(people: np.ndarray, look: Look, shift: int) -> Texts:
    country = look.get("country", "DE")
    text, close = ACCOUNTS.get(country, ACCOUNTS["DE"])
    return _written(
        people,
        text,
        lambda p: digits.iban(close(p) if close else p, country if country in ACCOUNTS else "DE"),
        look,
        shift,
    )


def _rib(points: np.ndarray) -> np.ndarray:
    """The French key of an account at bank 00000, branch 00000."""
    key = 97 - 3 * digits.modulus(points[:, 10:], 97) % 97
    return np.hstack([points, (key[:, None] // [10, 1] % 10 + 48).astype(np.uint32)])


def _letter(points: np.ndarray) -> np.ndarray:
    letters = np.array([ord(c) for c in "TRWAGMYFPDXBNJZSQVHLCKE"], np.uint32)
    return np.hstack([points, letters[digits.modulus(points, 23)][:, None]])


#: locale -> (template, step that closes it, usual layout); the first digits are given out to nobody
IDENTITIES: dict[str, tuple[str, Close | None, str]] = {
    "en_US": ("9##1####n", None, "###-##-####"),
    "en_GB": ("QQ######%", None, "## ## ## ## #"),
    "fr_FR": ("s##3#99######", digits.nir_key, ""),
    "es_ES": ("99######", _letter, ""),
}


def national_id(people: np.ndarray, look: Look, shift: int) -> Texts:
    if look["locale"] == "de_DE":
        return _german(people, look, shift)
    text, close, layout = IDENTITIES[look["locale"]]
    wanted = look.get("layout", "").count("#")
    if look["locale"] == "fr_FR" and wanted == 13:
        close = None
    return _written(people, text, close, look, shift, layout)


def _german(people: np.ndarray, look: Look, shift: int) -> Texts:
    """Tax identities for tests begin with 0; one of the other digits stands twice, one is lacking (Lehmer's code)."""
    pairs = [(i, j) for i in range(9) for j in range(i + 1, 9)]
    sizes = (len(pairs), 9, 8, 7, 6, 5, 4, 3, 2)
    lap, here = np.divmod(people, int(np.prod(sizes)))
    code = np.hstack([stirred(here, sizes, shift), np.zeros((len(people), 1), np.int64)])
    left = np.tile(np.arange(1, 10), (len(people), 1))
    rows, order = np.arange(len(people)), np.zeros((len(people), 9), np.int64)
    for place in range(9):
        at = code[:, place + 1]
        order[:, place] = left[rows, at]
        keep = np.ones(left.shape, bool)
        keep[rows, at] = False
        left = left[keep].reshape(len(people), -1)
    first, second = np.array(pairs)[code[:, 0]].T
    order[rows, second] = order[rows, first]
    points = digits.eleven_ten(np.hstack([np.zeros((len(people), 1), np.int64), order]).astype(np.uint32) + 48)
    found = laid(points, look.get("layout", ""))
    return (
        found
        if not lap.any()
        else pc.binary_join_element_wise(
            found, pc.if_else(pa.array(lap > 0), pa.array(lap + 1).cast(pa.string()), ""), ""
        )
    )


def _british(points: np.ndarray) -> np.ndarray:
    total = ((points[:, 2:].astype(np.int64) - 48) * np.arange(8, 1, -1)).sum(1)
    check = 97 - total % 97
    return np.hstack([points, (check[:, None] // [10, 1] % 10 + 48).astype(np.uint32)])


def _french(points: np.ndarray) -> np.ndarray:
    siren = digits.luhn(points[:, 2:])
    key = (12 + 3 * digits.modulus(siren, 97)) % 97
    return np.hstack([points[:, :2], (key[:, None] // [10, 1] % 10 + 48).astype(np.uint32), siren])


def _spanish(points: np.ndarray) -> np.ndarray:
    body = points[:, 3:].astype(np.int64) - 48
    twice = 2 * body[:, ::2]
    total = body[:, 1::2].sum(1) + (twice - 9 * (twice > 9)).sum(1)
    return np.hstack([points, (-total % 10 + 48).astype(np.uint32)[:, None]])


TAXES: dict[str, tuple[str, Close | None, str]] = {
    "en_US": ("00#######", None, "##-#######"),
    "en_GB": ("GB0######", _british, ""),
    "de_DE": ("DE0#######", lambda p: np.hstack([p[:, :2], digits.eleven_ten(p[:, 2:])]), ""),
    "fr_FR": ("FR00######", _french, ""),
    "es_ES": ("ESB00#####", _spanish, ""),
}


def tax_id(people: np.ndarray, look: Look, shift: int) -> Texts:
    text, close, layout = TAXES[look["locale"]]
    return _written(people, text, close, look, shift, layout)


@cache
def _numbers() -> np.ndarray:
    """Middle digits of UK health numbers in the range for tests, 999, that have a check digit."""
    middle = np.arange(10**6)
    total = 9 * (10 + 9 + 8) + sum(middle // 10**p % 10 * (p + 2) for p in range(6))
    return middle[(11 - total % 11) % 11 != 10]


def health_id(people: np.ndarray, look: Look, shift: int) -> Texts:
    known = _numbers()
    known = known[known // 10**5 == int(look["lead"])] if look.get("lead") else known
    lap, here = np.divmod(people, len(known))
    middle = known[stirred(here, (len(known),), shift)[:, 0]]
    points = np.hstack([np.full((len(people), 3), 57), middle[:, None] // 10 ** np.arange(5, -1, -1) % 10 + 48])
    points = np.hstack([points, digits.nhs(points)[:, None] + 48]).astype(np.uint32)
    found = laid(points, look.get("layout") or "### ### ####")
    return (
        found
        if not lap.any()
        else pc.binary_join_element_wise(
            found, pc.if_else(pa.array(lap > 0), pa.array(lap + 1).cast(pa.string()), ""), ""
        )
    )


def mac(people: np.ndarray, look: Look, shift: int) -> Texts:
    return _written(
        people, "02" + "x" * 10, None, look, shift, "##:##:##:##:##:##"
    )  # administered by nobody but its user


def ipv6(people: np.ndarray, look: Look, shift: int) -> Texts:
    return _written(
        people, "20010db8" + "x" * 24, None, {**look, "layout": ""}, shift, ":".join(["####"] * 8)
    )  # RFC 3849


def ip(people: np.ndarray, look: Look, shift: int) -> Texts:
    """The ranges of documentation and of measurements (RFC 5737, RFC 2544); then those of nobody yet (240/4)."""
    known = 3 * 256 + (1 << 17)
    at = stirred(people % known, (known,), shift)[:, 0]
    nets = np.array([0xC0000200, 0xC6336400, 0xCB007100], np.int64)
    number = np.where(at < 768, nets[np.minimum(at // 256, 2)] + at % 256, 0xC6120000 + at - 768)
    people = people + known if look.get("lead") else people
    number = np.where(people < known, number, 0xF0000000 + (people - known) % (1 << 28))
    return pc.binary_join_element_wise(*(pa.array(number >> s & 255).cast(pa.string()) for s in (24, 16, 8, 0)), ".")


def wallet(people: np.ndarray, look: Look, shift: int) -> Texts:
    """Addresses of no key that anybody has: hashes of the numbers, with bitcoin's checksum."""

    def one(n: int) -> str:
        raw = b"\0" + hashlib.sha256(f"{shift}/{n}".encode()).digest()[:20]
        raw += hashlib.sha256(hashlib.sha256(raw).digest()).digest()[:4]
        number, text = int.from_bytes(raw, "big"), ""
        while number:
            number, rest = divmod(number, 58)
            text = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"[rest] + text
        return "1" * (len(raw) - len(raw.lstrip(b"\0"))) + text

    return pa.array([one(n) for n in people.tolist()], pa.string())


MAKERS = {
    "card": card,
    "imei": imei,
    "vin": vin,
    "iban": iban,
    "national_id": national_id,
    "tax_id": tax_id,
    "health_id": health_id,
    "mac": mac,
    "ip": ip,
    "ipv6": ipv6,
    "wallet": wallet,
}
