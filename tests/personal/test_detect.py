"""Each detector knows its kind, and not the careless twin of it."""

from __future__ import annotations

import pytest

from fabrica.personal import KINDS, Sight, find
from fabrica.personal.detect import DETECTORS
from fabrica.personal.scan import told
from fabrica.personal.sight import spoken

CARDS = [
    "4111111111111111",
    "5555555555554444",
    "4012888888881881",
    "378282246310005",
    "6011111111111117",
    "4222222222222",
]
IBANS = ["DE89370400440532013000", "GB82 WEST 1234 5698 7654 32", "FR1420041010050500013M02606"]
NAMES = [
    f"{a} {b}"
    for a in ("Peter", "Ursula", "Klaus", "Sabine", "Heike")
    for b in ("Schmidt", "Krause", "Vogel", "Weber", "Xyvz")
]

#: kind -> (name of the column, values of it)
RIGHT = {
    "email": ("x", ["ann.lee@example.com", "bo@mail.example.org", "c+d@example.co.uk"]),
    "url": ("x", ["https://example.com/a", "http://example.org", "www.example.net"]),
    "ip": ("x", ["192.0.2.1", "10.0.0.255", "8.8.8.8"]),
    "ipv6": ("x", ["2001:db8::1", "fe80::1ff:fe23:4567:890a"]),
    "mac": ("x", ["00:1b:44:11:3a:b7", "A0-B1-C2-D3-E4-F5"]),
    "iban": ("x", IBANS),
    "card": ("x", CARDS),
    "vin": ("x", ["1M8GDM9AXKP042788", "5GZCZ43D13S812715", "1HGCM82633A004352"]),
    "imei": ("x", ["490154203237518", "356938035643809", "353879234252633", "357805023984942", "351756051523993"]),
    "wallet": ("x", ["1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2", "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"]),
    "national_id": ("x", ["123-45-6789", "219-09-9999", "457-55-5462"]),
    "health_id": ("nhs_number", ["943 476 5919", "401 023 2137"]),
    "tax_id": ("vat", ["DE136695976", "FR40303265045", "GB980780684"]),
    "phone": ("x", ["+49 30 901820", "(415) 555-2671", "020 7946 0018"]),
    "person": ("x", NAMES),
    "given_name": ("first_name", ["Anna", "Peter", "Sabine"]),
    "surname": ("Nachname", ["Schmidt", "Krause", "Vogel"]),
    "username": ("login", ["ann.lee", "bo_77", "cyfox"]),
    "handle": ("x", ["@ann_lee", "@bo77"]),
    "address": (
        "address",
        ["12 Main Street", "9 Elm Road, Apt 3", "Hauptstraße 7", "14 rue Victor Hugo", "Calle Mayor, 3"],
    ),
    "city": ("city", ["Berlin", "Paris", "San José"]),
    "postcode": ("zip", ["01067", "80331", "20095"]),
    "coordinates": ("x", ["52.5200, 13.4050", "48.8566, 2.3522"]),
    "latitude": ("lat", ["52.52", "48.85"]),
    "longitude": ("lon", ["13.40", "2.35"]),
    "birth_date": ("date_of_birth", ["1980-02-28", "1955-12-01"]),
    "age": ("age", ["44", "71", "18"]),
    "passport": ("passport_number", ["C01X00T47", "C02Y11T58"]),
    "licence": ("driving_licence", ["MORGA753116SM9IJ", "B072RRE2I55"]),
    "record": ("mrn", ["MRN00123", "MRN00777"]),
    "account": ("account_number", ["0532013000", "0648489890"]),
    "bic": ("bic", ["DEUTDEFF", "BNPAFRPPXXX"]),
    "plate": ("license_plate", ["B-MW 1234", "HH-AB 77"]),
    "device": ("device_id", ["123e4567-e89b-42d3-a456-426614174000", "123e4567-e89b-42d3-a456-426614174001"]),
}

#: what only looks like it: (name of the column, values, kind that it must not be taken for)
CARELESS = [
    ("x", [c[:-1] + str((int(c[-1]) + 1) % 10) for c in CARDS], "card"),
    ("x", [i[:-1] + ("1" if i[-1] != "1" else "2") for i in IBANS], "iban"),
    ("x", ["1M8GDM9A1KP042788", "5GZCZ43D23S812715", "1HGCM82643A004352"], "vin"),
    ("x", ["490154203237519", "356938035643808", "353879234252634", "357805023984943", "351756051523998"], "imei"),
    ("x", ["1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN3", "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb"], "wallet"),
    ("x", [f"{n}" for n in range(123456789, 123456989)], "national_id"),
    ("order", [f"2024-{n:06}" for n in range(200)], "phone"),
    ("day", ["01/02/2024", "03/04/2024"], "phone"),
    ("temperature", ["-73.985", "40.748"], "phone"),
    ("isbn", ["978-3-16-148410-0", "978-0-306-40615-7"], "phone"),
    ("version", ["10.4.2", "11.0.1"], "ip"),
    ("net", ["300.1.2.3", "10.0.0.256"], "ip"),
    ("month", ["April", "May", "June", "August"], "given_name"),
    ("segment", ["Young", "Green", "Rich"], "surname"),
    (
        "product",
        [
            f"{a} {b}"
            for a in ("Oak", "Steel", "Glass", "Nova", "Royal")
            for b in ("Table", "Lamp", "Desk", "Shelf", "Chair")
        ],
        "person",
    ),
    ("housing_median_age", ["12", "40", "52"], "age"),
    ("M3Long", ["22.01", "-9.9"], "longitude"),
    ("order_date", ["1980-02-28", "1955-12-01"], "birth_date"),
    ("city_tax", ["1.20", "3.50"], "city"),
    ("email_sent", ["yes", "no"], "email"),
    ("account_type", ["Checking", "Savings"], "account"),
    (
        "note",
        ["called about order 12, to be seen again", "no answer on route 66 today, call once more please"],
        "address",
    ),
]


def test_every_kind_has_an_example_and_a_detector():
    assert set(RIGHT) == set(KINDS) == {d.kind for d in DETECTORS}


@pytest.mark.parametrize("kind", list(RIGHT))
def test_values_are_known(kind):
    name, values = RIGHT[kind]
    found = find(Sight.of(name, values))
    assert found is not None and found.kind == kind and 0 < found.sure <= 1 and found.share > 0


@pytest.mark.parametrize(("name", "values", "kind"), CARELESS, ids=lambda v: v if isinstance(v, str) else "")
def test_careless_twins_are_not(name, values, kind):
    found = find(Sight.of(name, values))
    assert found is None or found.kind != kind


def test_the_name_alone_says_nothing():
    """A column called after a kind whose values are none is none."""
    for kind, (_, right) in RIGHT.items():
        for name in (kind, "email", "iban", "ssn", "phone", "age"):
            found = find(Sight.of(name, ["yes", "no", "perhaps"]))
            assert found is None or found.kind in ("username", "city"), (name, found, right[:0])


def test_few_names_among_words_are_no_names():
    words = [f"Level {i}" for i in range(60)] + NAMES[:5]
    assert find(Sight.of("x", words)) is None


def test_names_of_columns_are_read_as_words():
    assert spoken("BillingPostalCode") == "billing_postal_code" and spoken("IPAddress") == "ip_address"


def test_free_text_is_scanned_token_by_token():
    import pyarrow as pa

    texts = pa.array(
        ["please call +49 30 123 4567 back", "Mr. Tuffermann (ann@example.com) was here", "12 pieces of 40 cm"]
    )
    assert told(texts) == {
        "e-mail addresses": pytest.approx(1 / 3),
        "long numbers": pytest.approx(1 / 3),
        "names": pytest.approx(1 / 3),
    }
