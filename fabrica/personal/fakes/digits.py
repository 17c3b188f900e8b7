"""Check digits of whole columns at once: matrices of digits (n, width) in, the same with what is missing out."""

from __future__ import annotations

import numpy as np

__all__ = ["cin", "eleven_ten", "iban", "luhn", "modulus", "nhs", "nir_key", "vin"]

VIN = np.zeros(128, np.int64)
for _value, _letters in enumerate(("0", "1AJ", "2BKS", "3CLT", "4DMU", "5ENV", "6FW", "7GPX", "8HY", "9RZ")):
    VIN[[ord(c) for c in _letters]] = _value
VIN_WEIGHTS = np.array([8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2])


def _values(points: np.ndarray) -> np.ndarray:
    return points.astype(np.int64) - 48


def _digit(values: np.ndarray) -> np.ndarray:
    return (values + 48).astype(np.uint32)[:, None]


def luhn(points: np.ndarray) -> np.ndarray:
    """The digits with Luhn's at their end (ISO/IEC 7812)."""
    values = _values(points)[:, ::-1].copy()
    twice = 2 * values[:, ::2]
    values[:, ::2] = twice - 9 * (twice > 9)
    return np.hstack([points, _digit(-values.sum(1) % 10)])


def modulus(points: np.ndarray, by: int) -> np.ndarray:
    """(n,) the remainder of numbers of any length; letters count as 10 to 35."""
    rest = np.zeros(len(points), np.int64)
    for column in points.T.astype(np.int64):
        lettered = column >= 65
        rest = np.where(lettered, rest * 100 + column - 55, rest * 10 + column - 48) % by
    return rest


def iban(points: np.ndarray, country: str) -> np.ndarray:
    """The account with country and check digits before it (ISO 13616, ISO 7064)."""
    head = np.tile(np.array([ord(c) for c in country], np.uint32), (len(points), 1))
    zero = np.full((len(points), 2), 48, np.uint32)
    check = 98 - modulus(np.hstack([points, head, zero]), 97)
    return np.hstack([head, _digit(check // 10), _digit(check % 10), points])


def cin(points: np.ndarray) -> np.ndarray:
    """The Spanish account number behind a bank of eight digits: its two check digits between them."""
    weights = np.array([1, 2, 4, 8, 5, 10, 9, 7, 3, 6])
    bank = np.hstack([np.zeros((len(points), 2), np.int64), _values(points[:, :8])])
    checks = [11 - (part * weights).sum(1) % 11 for part in (bank, _values(points[:, 8:]))]
    checks = [np.where(c == 11, 0, np.where(c == 10, 1, c)) for c in checks]
    return np.hstack([points[:, :8], _digit(checks[0]), _digit(checks[1]), points[:, 8:]])


def nir_key(points: np.ndarray) -> np.ndarray:
    """The French social security number with its key of two digits."""
    key = 97 - modulus(points, 97)
    return np.hstack([points, _digit(key // 10), _digit(key % 10)])


def eleven_ten(points: np.ndarray) -> np.ndarray:
    """The digits with a check digit modulo 11,10 (ISO 7064), as German tax numbers have it."""
    rest = np.full(len(points), 10)
    for column in _values(points).T:
        total = (column + rest) % 10
        rest = 2 * np.where(total == 0, 10, total) % 11
    return np.hstack([points, _digit((11 - rest) % 10)])


def nhs(points: np.ndarray) -> np.ndarray:
    """(n,) the check digit of nine digits of the UK health service; 10 where there is none."""
    return (11 - (_values(points) * np.arange(10, 1, -1)).sum(1) % 11) % 11


def vin(points: np.ndarray) -> np.ndarray:
    """17 characters with the check digit in the ninth place (49 CFR 565.15)."""
    rest = (VIN[points.astype(np.int64)] * VIN_WEIGHTS).sum(1) % 11
    out = points.copy()
    out[:, 8] = np.where(rest == 10, ord("X"), rest + 48)
    return out
