"""A labelled corpus of personal data: thirty kinds in five countries, and columns that only look like it.

Names, streets, cities and telephones are those of Mimesis, whose word lists are not those of the detectors (Faker's);
numbers with check digits are made by the few lines below and not by the library that checks them.
"""

from __future__ import annotations

import hashlib
import string
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from mimesis import Address, Cryptographic, Food, Internet, Payment, Person
from mimesis.locales import Locale

__all__ = ["COUNTRIES", "KINDS", "NEGATIVE", "Labelled", "corpus"]

COUNTRIES = {"en_US": Locale.EN, "en_GB": Locale.EN_GB, "de_DE": Locale.DE, "fr_FR": Locale.FR, "es_ES": Locale.ES}
IBAN = {
    "de_DE": ("DE", 18, False),
    "fr_FR": ("FR", 23, False),
    "es_ES": ("ES", 20, False),
    "en_GB": ("GB", 18, True),
    "en_US": ("DE", 18, False),
}


@dataclass(frozen=True)
class Labelled:
    """One column: its name, its values and the kind that it is; "" where it is not personal."""

    name: str
    values: list[str]
    kind: str
    locale: str


class Hand:
    """Draws for one country."""

    def __init__(self, locale: str, seed: int):
        self.locale, self.random = locale, np.random.default_rng(seed)
        where = COUNTRIES[locale]
        self.person, self.place = Person(where, seed=seed), Address(where, seed=seed)
        self.net, self.pay = Internet(seed=seed), Payment(seed=seed)
        self.crypt, self.food = Cryptographic(seed=seed), Food(where, seed=seed)

    def digits(self, n: int, first: str = string.digits) -> str:
        return self.pick(first) + "".join(self.pick(string.digits) for _ in range(n - 1))

    def letters(self, n: int, of: str = string.ascii_uppercase) -> str:
        return "".join(self.pick(of) for _ in range(n))

    def pick(self, some: object) -> str:
        return some[int(self.random.integers(len(some)))]  # type: ignore[index, arg-type]

    def whole(self, low: int, high: int) -> int:
        return int(self.random.integers(low, high))


# ---------------------------------------------------------------- numbers with check digits


def luhn(body: str) -> str:
    total = sum(sum(divmod(int(c) * (2 - i % 2), 10)) for i, c in enumerate(reversed(body)))
    return body + str(-total % 10)


def card(h: Hand) -> str:
    text = luhn(h.pick(["4", "51", "53", "2221", "6011"]) + h.digits(15))[:0] or luhn(
        (h.pick(["4", "51", "55", "6011"]) + h.digits(15))[:15]
    )
    return " ".join(text[i : i + 4] for i in range(0, 16, 4)) if h.seen % 2 else text  # type: ignore[attr-defined]


def iban(h: Hand) -> str:
    country, size, lettered = IBAN[h.locale]
    body = (h.letters(4) + h.digits(size - 4)) if lettered else h.digits(size)
    if country == "ES":
        w = (1, 2, 4, 8, 5, 10, 9, 7, 3, 6)
        bank, account = body[:8], body[10:]
        one, two = (11 - sum(int(c) * k for c, k in zip(t, w, strict=True)) % 11 for t in ("00" + bank, account))
        body = bank + "".join(str({10: 1, 11: 0}.get(d, d)) for d in (one, two)) + account
    number = int("".join(str(int(c, 36)) for c in body + country + "00"))
    text = f"{country}{98 - number % 97:02d}{body}"
    return " ".join(text[i : i + 4] for i in range(0, len(text), 4)) if h.seen % 2 else text  # type: ignore[attr-defined]


def national_id(h: Hand) -> str:
    if h.locale == "en_US":
        return f"{h.whole(1, 665):03d}-{h.whole(1, 99):02d}-{h.whole(1, 9999):04d}"
    if h.locale == "en_GB":
        return (
            f"{h.pick(['AB', 'CE', 'HJ', 'PN', 'SW', 'YX'])} {h.digits(2)} {h.digits(2)} {h.digits(2)} {h.pick('ABCD')}"
        )
    if h.locale == "fr_FR":
        born = f"{h.pick('12')}{h.whole(0, 99):02d}{h.whole(1, 13):02d}"
        body = f"{born}{h.whole(1, 95):02d}{h.whole(1, 900):03d}{h.whole(1, 999):03d}"
        return f"{body}{97 - int(body) % 97:02d}"
    if h.locale == "es_ES":
        number = h.whole(10_000_000, 80_000_000)
        return f"{number}{'TRWAGMYFPDXBNJZSQVHLCKE'[number % 23]}"
    order = [str(d) for d in h.random.permutation(10)]
    order[h.whole(5, 10)] = order[h.whole(0, 5)]
    if order[0] == "0":
        order[0], order[1] = order[1], order[0]
    rest = 10
    for c in order:
        rest = (int(c) + rest) % 10 or 10
        rest = rest * 2 % 11
    return "".join(order) + str((11 - rest) % 10)


def tax_id(h: Hand) -> str:
    if h.locale == "en_US":
        return f"{h.pick(['12', '20', '35', '47', '81'])}-{h.digits(7)}"
    if h.locale == "en_GB":
        body = h.digits(7, "12345678")
        total = sum(int(c) * w for c, w in zip(body, range(8, 1, -1), strict=True))
        return f"GB{body}{97 - total % 97:02d}"
    if h.locale == "fr_FR":
        siren = luhn(h.digits(8, "345678"))
        return f"FR{(12 + 3 * (int(siren) % 97)) % 97:02d}{siren}"
    if h.locale == "es_ES":
        body = h.digits(7)
        total = sum(map(int, body[1::2])) + sum(sum(divmod(2 * int(c), 10)) for c in body[::2])
        return f"ES{h.pick('AB')}{body}{-total % 10}"
    body, rest = h.digits(8, "123456789"), 10
    for c in body:
        rest = (int(c) + rest) % 10 or 10
        rest = rest * 2 % 11
    return f"DE{body}{(11 - rest) % 10}"


def vin(h: Hand) -> str:
    letters = "ABCDEFGHJKLMNPRSTUVWXYZ0123456789"
    values = dict(
        zip(
            "ABCDEFGHJKLMNPRSTUVWXYZ",
            (1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5, 7, 9, 2, 3, 4, 5, 6, 7, 8, 9),
            strict=True,
        )
    )
    body = (
        h.pick(["1HG", "WVW", "VF1", "SAL", "VSS"])
        + "".join(h.pick(letters) for _ in range(5))
        + "0"
        + h.pick(letters)
        + h.pick(letters)
        + h.digits(6)
    )
    total = sum(
        (int(c) if c.isdigit() else values[c]) * w
        for c, w in zip(body, (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2), strict=True)
    )
    return body[:8] + ("X" if total % 11 == 10 else str(total % 11)) + body[9:]


def health_id(h: Hand) -> str:
    if h.locale == "en_GB":
        while True:
            body = h.digits(9, "4567")
            check = 11 - sum(int(c) * w for c, w in zip(body, range(10, 1, -1), strict=True)) % 11
            if check != 10:
                return f"{body[:3]} {body[3:6]} {body[6:]}{0 if check == 11 else check}"
    return {
        "en_US": lambda: (
            f"{h.digits(1, '123')}{h.letters(2, 'EGTKQR')}{h.digits(1)}-"
            f"{h.letters(2, 'TEK')}{h.digits(1)}-{h.letters(2, 'MKR')}{h.digits(2)}"
        ),
        "de_DE": lambda: h.letters(1) + h.digits(9),
        "fr_FR": lambda: h.digits(9),
        "es_ES": lambda: h.letters(4) + h.digits(10),
    }[h.locale]()


def plate(h: Hand) -> str:
    return {
        "en_US": lambda: f"{h.digits(1)}{h.letters(3)}{h.digits(3)}",
        "en_GB": lambda: f"{h.letters(2)}{h.digits(2)} {h.letters(3)}",
        "de_DE": lambda: f"{h.pick(['M', 'B', 'HH', 'KA'])}-{h.letters(2)} {h.whole(1, 9999)}",
        "fr_FR": lambda: f"{h.letters(2)}-{h.digits(3)}-{h.letters(2)}",
        "es_ES": lambda: f"{h.digits(4)} {h.letters(3, 'BCDFGHJKLM')}",
    }[h.locale]()


def passport(h: Hand) -> str:
    return {
        "en_US": lambda: h.digits(9),
        "en_GB": lambda: h.digits(9),
        "de_DE": lambda: h.pick("CFGH") + h.digits(8),
        "fr_FR": lambda: h.digits(2) + h.letters(2) + h.digits(5),
        "es_ES": lambda: h.letters(3) + h.digits(6),
    }[h.locale]()


def licence(h: Hand) -> str:
    return {
        "en_US": lambda: h.letters(1) + h.digits(7),
        "en_GB": lambda: h.letters(5) + h.digits(6) + h.letters(2) + "9" + h.letters(2),
        "de_DE": lambda: h.letters(1) + h.digits(2) + h.letters(1) + h.digits(7),
        "fr_FR": lambda: h.digits(12),
        "es_ES": lambda: h.digits(8) + h.letters(1),
    }[h.locale]()


def wallet(h: Hand) -> str:
    raw = b"\0" + hashlib.sha256(h.letters(20).encode()).digest()[:20]
    raw += hashlib.sha256(hashlib.sha256(raw).digest()).digest()[:4]
    number, text = int.from_bytes(raw, "big"), ""
    while number:
        number, rest = divmod(number, 58)
        text = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"[rest] + text
    return "1" * (len(raw) - len(raw.lstrip(b"\0"))) + text


def born(h: Hand) -> str:
    y, m, d = h.whole(1930, 2008), h.whole(1, 13), h.whole(1, 29)
    return {
        "en_US": f"{m:02d}/{d:02d}/{y}",
        "en_GB": f"{d:02d}/{m:02d}/{y}",
        "de_DE": f"{d:02d}.{m:02d}.{y}",
        "fr_FR": f"{d:02d}/{m:02d}/{y}",
        "es_ES": f"{y}-{m:02d}-{d:02d}",
    }[h.locale]


def postcode(h: Hand) -> str:
    if h.locale == "en_GB":
        return f"{h.pick(['SW', 'M', 'LS', 'B', 'EH'])}{h.whole(1, 20)} {h.digits(1)}{h.letters(2, 'ABDEFGHJ')}"
    return h.digits(5)


def bic(h: Hand) -> str:
    return (
        h.letters(4)
        + {"en_US": "US", "en_GB": "GB", "de_DE": "DE", "fr_FR": "FR", "es_ES": "ES"}[h.locale]
        + h.letters(2)
        + "XXX"
    )


# ---------------------------------------------------------------- the kinds

Make = Callable[[Hand], str]
#: kind -> (how a value is made, names of its column: English, German, French, Spanish)
KINDS: dict[str, tuple[Make, tuple[str, ...]]] = {
    "person": (
        lambda h: h.person.full_name(),
        ("full_name", "customer_name", "Ansprechpartner", "nom_complet", "nombre_completo"),
    ),
    "given_name": (lambda h: h.person.first_name(), ("first_name", "givenName", "Vorname", "prenom", "nombre")),
    "surname": (lambda h: h.person.last_name(), ("last_name", "Surname", "Nachname", "nom_de_famille", "apellido")),
    "username": (lambda h: h.person.username("l.d"), ("username", "login", "Benutzername", "identifiant", "usuario")),
    "handle": (lambda h: "@" + h.person.username("l_d"), ("twitter", "handle", "instagram", "social", "handle")),
    "email": (lambda h: h.person.email(), ("email", "E-Mail", "mail", "email_address", "contact_email")),
    "phone": (lambda h: h.person.telephone(), ("phone", "mobile_number", "Telefon", "telephone", "telefono")),
    "address": (lambda h: h.place.address(), ("address", "street_address", "Anschrift", "adresse", "direccion")),
    "city": (lambda h: h.place.city(), ("city", "town", "Wohnort", "ville", "ciudad")),
    "postcode": (postcode, ("zip", "postcode", "PLZ", "code_postal", "codigo_postal")),
    "latitude": (lambda h: f"{h.place.latitude():.5f}", ("latitude", "lat", "lat", "latitude", "latitud")),
    "longitude": (lambda h: f"{h.place.longitude():.5f}", ("longitude", "lng", "lon", "longitude", "longitud")),
    "coordinates": (
        lambda h: f"{h.place.latitude():.5f}, {h.place.longitude():.5f}",
        ("location", "coordinates", "position", "gps", "coord"),
    ),
    "birth_date": (born, ("date_of_birth", "DOB", "Geburtsdatum", "date_naissance", "fecha_nacimiento")),
    "age": (lambda h: str(h.whole(18, 95)), ("age", "Age", "Alter", "patient_age", "edad")),
    "national_id": (national_id, ("ssn", "nino", "steuer_id", "nir", "dni")),
    "tax_id": (tax_id, ("tax_id", "vat_number", "ust_id", "num_tva", "nif")),
    "passport": (passport, ("passport", "passport_number", "Reisepass", "passeport", "pasaporte")),
    "licence": (licence, ("drivers_license", "driving_licence", "Fuehrerschein", "permis", "permiso_conducir")),
    "health_id": (health_id, ("medicare_number", "nhs_number", "versicherten_nr", "num_mutuelle", "tarjeta_sanitaria")),
    "record": (lambda h: "MRN" + h.digits(7), ("mrn", "patient_id", "patienten_nr", "num_dossier", "historia_clinica")),
    "account": (lambda h: h.digits(10), ("account_number", "account_no", "Kontonummer", "num_compte", "numero_cuenta")),
    "iban": (iban, ("iban", "IBAN", "iban", "iban", "iban")),
    "bic": (bic, ("bic", "swift", "BIC", "bic", "swift_code")),
    "card": (card, ("credit_card", "card_number", "Kreditkarte", "carte", "tarjeta")),
    "wallet": (wallet, ("wallet", "btc", "bitcoin", "wallet", "wallet")),
    "vin": (vin, ("vin", "VIN", "Fahrgestellnummer", "vin", "bastidor")),
    "plate": (plate, ("license_plate", "registration", "Kennzeichen", "immatriculation", "matricula")),
    "imei": (lambda h: luhn("35" + h.digits(12)), ("imei", "IMEI", "imei", "imei", "imei")),
    "device": (lambda h: str(h.crypt.uuid()), ("device_id", "device_id", "device_id", "device_id", "dispositivo")),
    "mac": (
        lambda h: (
            h.net.mac_address()
            if hasattr(h.net, "mac_address")
            else ":".join(f"{h.whole(0, 256):02x}" for _ in range(6))
        ),
        ("mac", "mac_address", "mac", "mac", "mac"),
    ),
    "url": (lambda h: str(h.net.url()), ("website", "url", "homepage", "url", "web")),
    "ip": (lambda h: h.net.ip_v4(), ("ip", "ip_address", "ip", "ip", "ip")),
    "ipv6": (lambda h: h.net.ip_v6(), ("ipv6", "ip", "ip", "ipv6", "ip")),
}
#: kinds that the form of their values tells, whatever the column is called
FORMED = (
    "email",
    "phone",
    "iban",
    "card",
    "url",
    "ip",
    "ipv6",
    "mac",
    "vin",
    "wallet",
    "person",
    "given_name",
    "surname",
    "address",
    "coordinates",
    "imei",
    "handle",
    "national_id",
)

#: columns that are not personal, many of them careless twins of those that are
NEGATIVE: dict[str, Make] = {
    "amount": lambda h: f"{h.random.gamma(2, 50):.2f}",
    "price_eur": lambda h: f"{h.random.gamma(2, 50):.2f} €",
    "order_no": lambda h: f"ORD-{h.whole(2019, 2025)}-{h.whole(1, 99999):05d}",
    "invoice": lambda h: f"{h.whole(2019, 2025)}-{h.whole(1, 999999):06d}",
    "reference": lambda h: h.digits(10, "123456789"),
    "code16": lambda h: h.digits(16, "4"),
    "batch": lambda h: h.digits(15, "35"),
    "serial": lambda h: h.letters(2) + h.digits(8),
    "lot_code": lambda h: "".join(h.pick("ABCDEFGHJKLMNPRSTUVWXYZ0123456789") for _ in range(11)) + h.digits(6),
    "ean": lambda h: h.digits(13, "45"),
    "isbn": lambda h: f"978-{h.digits(1)}-{h.digits(4)}-{h.digits(4)}-{h.digits(1)}",
    "sku": lambda h: f"{h.letters(3)}-{h.digits(3)}-{h.letters(2)}",
    "nine_digits": lambda h: h.digits(9, "123456789"),
    "eleven_digits": lambda h: h.digits(11, "123456789"),
    "version": lambda h: f"{h.whole(0, 12)}.{h.whole(0, 40)}.{h.whole(0, 400)}",
    "build": lambda h: f"{h.whole(1, 12)}.{h.whole(0, 40)}.{h.whole(1000, 22000)}.{h.whole(1, 3000)}",
    "hash": lambda h: h.letters(40, "0123456789abcdef"),
    "timestamp": lambda h: (
        f"{h.whole(2015, 2025)}-{h.whole(1, 13):02d}-{h.whole(1, 29):02d} {h.whole(0, 24):02d}:{h.whole(0, 60):02d}"
    ),
    "order_date": lambda h: f"{h.whole(2015, 2025)}-{h.whole(1, 13):02d}-{h.whole(1, 29):02d}",
    "epoch": lambda h: str(h.whole(1_400_000_000, 1_700_000_000)),
    "temperature": lambda h: f"{h.random.normal(15, 8):.1f}",
    "x": lambda h: f"{h.random.uniform(-80, 80):.6f}",
    "quantity": lambda h: str(h.whole(1, 99)),
    "points": lambda h: str(h.whole(18, 95)),
    "page_count": lambda h: str(h.whole(40, 900)),
    "status": lambda h: h.pick(["open", "closed", "pending", "refused"]),
    "country": lambda h: h.place.country(),
    "segment": lambda h: h.pick(["Premium Plus", "Basic", "Business Class", "Young Family"]),
    "month": lambda h: h.pick(["January", "April", "May", "June", "August"]),
    "job": lambda h: h.person.occupation(),
    "dish": lambda h: h.food.dish(),
    "vegetable": lambda h: h.food.vegetable(),
    "product": lambda h: (
        f"{h.pick(['Oak', 'Steel', 'Glass', 'Royal', 'Nova', 'Rose'])}"
        f" {h.pick(['Table', 'Chair', 'Lamp', 'Desk', 'Shelf', 'Frame'])} {h.whole(1, 40)}"
    ),
    "brand": lambda h: (
        f"{h.pick(['North', 'Blue', 'Prime', 'Solar', 'Delta'])}{h.pick(['wave', 'line', 'tech', 'form', 'core'])} "
        f"{h.pick(['GmbH', 'Ltd', 'Inc', 'SA'])}"
    ),
    "title": lambda h: (
        f"{h.pick(['The', 'A', 'My'])} {h.pick(['Silent', 'Golden', 'Broken', 'Last'])}"
        f" {h.pick(['River', 'House', 'Summer', 'Garden', 'Road'])}"
    ),
    "icd": lambda h: f"{h.letters(1)}{h.digits(2)}.{h.digits(1)}",
    "currency": lambda h: h.pick(["USD", "EUR", "GBP", "CHF"]),
    "file": lambda h: f"img_{h.digits(5)}.jpg",
    "dimensions": lambda h: f"{h.whole(10, 99)}x{h.whole(10, 99)}x{h.whole(10, 99)}",
    "time": lambda h: f"{h.whole(0, 24):02d}:{h.whole(0, 60):02d}:{h.whole(0, 60):02d}",
    "rating": lambda h: str(h.whole(1, 6)),
    "page_age": lambda h: str(h.whole(1, 900)),
    "usage": lambda h: f"{h.random.uniform(0, 100):.2f}",
    "average": lambda h: str(h.whole(1, 90)),
    "company_phone_model": lambda h: h.pick(["Pixel 8", "Galaxy S23", "iPhone 15", "Moto G"]),
    "plate_size": lambda h: f"{h.whole(10, 40)} cm",
    "city_tax": lambda h: f"{h.random.gamma(2, 1):.2f}",
    "name_length": lambda h: str(h.whole(3, 20)),
    "email_sent": lambda h: h.pick(["yes", "no"]),
    "address_type": lambda h: h.pick(["home", "work", "other"]),
    "contact_method": lambda h: h.pick(["Phone", "Letter", "Online", "Visit"]),
    "card_type": lambda h: h.pick(["Gold", "Silver", "Classic"]),
    "account_type": lambda h: h.pick(["Checking", "Savings", "Joint Account"]),
}


def corpus(rows: int = 200, seeds: int = 3, named: bool = True) -> Iterator[Labelled]:
    """Every kind in every country, ``seeds`` columns of each, and every column that is not personal in every country.
    With ``named`` false the columns are called ``col_1`` and so on, and kinds that only a name tells are left out."""
    number = 0
    for place, locale in enumerate(COUNTRIES):
        for seed in range(seeds):
            h = Hand(locale, 1000 * place + seed)
            for kind, (make, names) in KINDS.items():
                if not named and kind not in FORMED:
                    continue
                h.seen = number = number + 1  # type: ignore[attr-defined]
                name = names[place] if seed % 2 == 0 else names[0]
                yield Labelled(name if named else f"col_{number}", [make(h) for _ in range(rows)], kind, locale)
            for name, made in NEGATIVE.items():
                number += 1
                yield Labelled(name if named else f"col_{number}", [made(h) for _ in range(rows)], "", locale)
