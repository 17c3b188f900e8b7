"""The version, said once: the package, its files and its reports read it here."""

from __future__ import annotations

__all__ = ["VERSION"]

VERSION = "0.1.0"
