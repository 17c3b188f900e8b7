"""The kinds of personal data: what each is, its class in HIPAA's Safe Harbor, what is done with it.

``fresh`` kinds name a person or a thing of theirs: every value is made afresh. ``kept`` kinds (quasi-identifiers)
single out only together with others: they are learned as any column is, no level of fewer than ``k`` rows, and told.
The classes are those of 45 CFR 164.514(b)(2)(i), ``A`` to ``R``.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["KINDS", "OFF", "SHARED", "Kind"]

SHARED = frozenset({"given_name", "surname", "city", "postcode"})  #: several people have the same
OFF = "none"  #: what a user says of a column that is not personal


@dataclass(frozen=True)
class Kind:
    """One kind of personal data.

    Parameters
    ----------
    name : the word in schemas.
    title : for a person.
    safe_harbor : letter of the class of HIPAA; "" where none names it.
    fresh : whether its values are made afresh; else they are learned.
    """

    name: str
    title: str
    safe_harbor: str = ""
    fresh: bool = True


#: every kind by its name
KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind("person", "whole names of people", "A"),
        Kind("given_name", "given names", "A"),
        Kind("surname", "family names", "A"),
        Kind("username", "names of accounts", "R"),
        Kind("handle", "names in social networks, @ before them", "R"),
        Kind("email", "e-mail addresses", "F"),
        Kind("phone", "numbers of telephones and fax machines", "D"),
        Kind("address", "streets with a number", "B"),
        Kind("city", "cities", "B", fresh=False),
        Kind("postcode", "postal codes", "B", fresh=False),
        Kind("latitude", "degrees north", "B", fresh=False),
        Kind("longitude", "degrees east", "B", fresh=False),
        Kind("coordinates", "both degrees in one text", "B"),
        Kind("birth_date", "dates of birth", "C", fresh=False),
        Kind("age", "ages in years", "C", fresh=False),
        Kind("national_id", "national identity and social security numbers", "G"),
        Kind("tax_id", "tax numbers", "R"),
        Kind("passport", "numbers of passports", "R"),
        Kind("licence", "numbers of driving licences", "K"),
        Kind("health_id", "numbers of a health insurance", "I"),
        Kind("record", "numbers of patients, cases and other people", "H"),
        Kind("account", "numbers of bank accounts", "J"),
        Kind("iban", "international bank account numbers", "J"),
        Kind("bic", "codes of banks", "", fresh=False),
        Kind("card", "numbers of payment cards", "J"),
        Kind("wallet", "addresses of bitcoin", "J"),
        Kind("vin", "vehicle identification numbers", "L"),
        Kind("plate", "number plates of vehicles", "L"),
        Kind("imei", "numbers of mobile devices", "M"),
        Kind("device", "identifiers of devices and accounts (UUID)", "M"),
        Kind("mac", "addresses of network cards", "M"),
        Kind("url", "web addresses", "N"),
        Kind("ip", "internet addresses, version 4", "O"),
        Kind("ipv6", "internet addresses, version 6", "O"),
    )
}
