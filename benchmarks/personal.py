"""How well personal data is found: recall and precision of columns on a labelled corpus of 34 kinds in five countries,
with the columns' usual names and with none, and on the real tables against a list that was checked by hand.

    python benchmarks/personal.py [--rows 300] [--seeds 4]

A column counts as found where its kind is right. The corpus is made by Mimesis and by own code, the detectors know the
lists of Faker and the sums of python-stdnum. They share the forms of telephone numbers, addresses and identifiers,
since these are what they are; they share no list of names.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter, defaultdict
from pathlib import Path

import pyarrow as pa
from generators.personal import COUNTRIES, FORMED, KINDS, NEGATIVE, corpus

from fabrica.dataset import Dataset
from fabrica.inference import infer
from fabrica.personal import KINDS as KNOWN

DATA = Path(__file__).parents[2] / "shared" / "data"
RESULTS = Path(__file__).parent / "results" / "personal.md"

_HOME = {"Address": "address", "City": "city", "PostalCode": "postcode"}
_NAMES = {"FirstName": "given_name", "LastName": "surname"}
_SHORT = {"first_name": "given_name", "last_name": "surname"}
_CASE = {"subject_id": "record", "hadm_id": "record"}
#: what stands in the real tables, by a reading of each; identifiers of people are personal too. A table that is not
#: here holds nothing. Not judged: names of artists and composers, who are bands as often.
EXPECTED: dict[str, dict[str, str]] = {
    "adult/train.csv": {"age": "age"},
    "adult/test.csv": {"age": "age"},
    "adult/adult.csv": {"age": "age"},
    "bank_marketing/bank_marketing.csv": {"age": "age"},
    "german_credit/german_credit.csv": {"age": "age"},
    "california_housing/california_housing.csv": {"longitude": "longitude", "latitude": "latitude"},
    "chinook/Customer.csv": {
        "CustomerId": "record",
        **_NAMES,
        **_HOME,
        "Phone": "phone",
        "Fax": "phone",
        "Email": "email",
        "SupportRepId": "record",
    },
    "chinook/Employee.csv": {
        "EmployeeId": "record",
        **_NAMES,
        **_HOME,
        "BirthDate": "birth_date",
        "Phone": "phone",
        "Fax": "phone",
        "Email": "email",
        "ReportsTo": "record",
    },
    "chinook/Invoice.csv": {
        "CustomerId": "record",
        "BillingAddress": "address",
        "BillingCity": "city",
        "BillingPostalCode": "postcode",
    },
    "ev_charging/ev_charging_sessions.csv": {"userId": "record"},
    "genomes1000/samples.csv": {"sample": "record"},
    "gtfs_cairns/agency.csv": {"agency_phone": "phone", "agency_url": "url"},
    "gtfs_cairns/shapes.csv": {"shape_pt_lat": "latitude", "shape_pt_lon": "longitude"},
    "gtfs_cairns/stops.csv": {"stop_lat": "latitude", "stop_lon": "longitude"},
    "mimic3_demo/admissions.csv": _CASE,
    "mimic3_demo/diagnoses_icd.csv": _CASE,
    "mimic3_demo/procedures_icd.csv": _CASE,
    "mimic3_demo/patients.csv": {"subject_id": "record", "dob": "birth_date"},
    "mimic3_demo/prescriptions.csv": {**_CASE, "icustay_id": "record"},
    "northwind/Customers.csv": {
        "CustomerID": "record",
        "ContactName": "person",
        **_HOME,
        "Phone": "phone",
        "Fax": "phone",
    },
    "northwind/EmployeeTerritories.csv": {"EmployeeID": "record"},
    "northwind/Employees.csv": {
        "EmployeeID": "record",
        **_NAMES,
        **_HOME,
        "BirthDate": "birth_date",
        "HomePhone": "phone",
        "ReportsTo": "record",
    },
    "northwind/Orders.csv": {
        "CustomerID": "record",
        "EmployeeID": "record",
        "ShipAddress": "address",
        "ShipCity": "city",
        "ShipPostalCode": "postcode",
    },
    "northwind/Shippers.csv": {"Phone": "phone"},
    "northwind/Suppliers.csv": {"ContactName": "person", **_HOME, "Phone": "phone", "Fax": "phone"},
    "nycflights13/airports.parquet": {"lat": "latitude", "lon": "longitude"},
    "rts_gmlc/bus.csv": {"lat": "latitude", "lng": "longitude"},
    "sakila/actor.csv": {"actor_id": "record", **_SHORT},
    "sakila/address.csv": {"address": "address", "postal_code": "postcode"},
    "sakila/city.csv": {"city": "city"},
    "sakila/customer.csv": {"customer_id": "record", **_SHORT, "email": "email"},
    "sakila/film_actor.csv": {"actor_id": "record"},
    "sakila/payment.csv": {"customer_id": "record", "staff_id": "record"},
    "sakila/rental.csv": {"customer_id": "record", "staff_id": "record"},
    "sakila/staff.csv": {"staff_id": "record", **_SHORT, "email": "email", "username": "username"},
    "sakila/store.csv": {"manager_staff_id": "record"},
}


def generated(rows: int, seeds: int, named: bool) -> tuple[Counter, Counter, Counter, dict[tuple[str, str], int]]:
    """(columns of each kind, those found, false alarms of each kind, what was taken for what)."""
    asked, hit, alarm, mixed = Counter(), Counter(), Counter(), defaultdict(int)
    for column in corpus(rows, seeds, named):
        found = infer(pa.table({column.name: column.values}))[0].columns[0].personal
        asked[column.kind] += 1
        hit[column.kind] += found == column.kind
        if found and found != column.kind:
            alarm[found] += 1
        if found != column.kind:
            mixed[column.kind or "nothing", found or "nothing"] += 1
    return asked, hit, alarm, mixed


def real() -> tuple[int, int, int, int, int, list[str], list[str]]:
    """(tables, columns, expected, found, false alarms, which were missed, which were false)."""
    tables = columns = expected = hit = alarm = 0
    missed, false = [], []
    for path in sorted([*DATA.glob("*/*.csv"), *DATA.glob("*/*.parquet")]):
        table = Dataset.open(path).head(20_000)
        if not table.num_rows or "haplotypes" in path.name:
            continue
        name = f"{path.parent.name}/{path.name}"
        wanted = EXPECTED.get(name, {})
        got = {c.name: c.personal for c in infer(table)[0].columns if c.personal}
        tables, columns, expected = tables + 1, columns + table.num_columns, expected + len(wanted)
        hit += sum(got.get(c) == kind for c, kind in wanted.items())
        alarm += sum(wanted.get(c) != kind for c, kind in got.items())
        missed += [f"{name} {c} ({kind})" for c, kind in wanted.items() if got.get(c) != kind]
        false += [f"{name} {c} ({kind})" for c, kind in got.items() if wanted.get(c) != kind]
    return tables, columns, expected, hit, alarm, missed, false


def _rates(asked: Counter, hit: Counter, alarm: Counter) -> tuple[float, float]:
    right = sum(n for kind, n in hit.items() if kind)
    return right / sum(n for kind, n in asked.items() if kind), right / max(1, right + sum(alarm.values()))


def speed() -> float:
    """CPU-seconds that detection adds to a table of 30,000 rows and 15 columns."""
    columns = {f"{c.name}{i}": c.values for i, c in enumerate(corpus(30_000, 1)) if i % 6 == 0}
    table = pa.table(dict(list(columns.items())[:15]))
    from fabrica.inference import personal

    infer(table)
    whole = personal.with_personal
    spent = []

    def timed(*args: object) -> object:
        start = time.process_time()
        found = whole(*args)  # type: ignore[arg-type]
        spent.append(time.process_time() - start)
        return found

    import fabrica.inference as house

    house.with_personal = timed  # type: ignore[assignment]
    infer(table)
    house.with_personal = whole
    return spent[0]


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--rows", type=int, default=300)
    options.add_argument("--seeds", type=int, default=4)
    said = options.parse_args()
    lines = ["# Personal data", "", "`python benchmarks/personal.py`", ""]
    whole = {named: generated(said.rows, said.seeds, named) for named in (True, False)}
    asked, hit, alarm, _ = whole[True]
    personal = sum(n for kind, n in asked.items() if kind)
    lines += [
        f"{len(KINDS)} kinds in {len(COUNTRIES)} countries ({', '.join(COUNTRIES)}): {personal} personal"
        f" columns of {said.rows} "
        f"rows; {asked['']} columns that are not personal, of {len(NEGATIVE)} sorts, many of them careless twins.",
        "",
        "| columns | recall | precision | false alarms on columns that are not personal |",
        "|---|---|---|---|",
    ]
    for named, words in (
        (True, "with their usual names"),
        (False, f"called `col_1` and so on; {len(FORMED)} kinds that have a form"),
    ):
        recall, precision = _rates(*whole[named][:3])
        alarms = sum(n for (kind, _), n in whole[named][3].items() if kind == "nothing")
        lines.append(f"| {words} | {recall:.3f} | {precision:.3f} | {alarms} |")
    lines += ["", "| kind | what | recall | precision | recall without names |", "|---|---|---|---|---|"]
    for kind in KINDS:
        bare = f"{whole[False][1][kind] / whole[False][0][kind]:.2f}" if kind in FORMED else "–"
        lines.append(
            f"| `{kind}` | {KNOWN[kind].title} | {hit[kind] / asked[kind]:.2f} | "
            f"{hit[kind] / max(1, hit[kind] + alarm[kind]):.2f} | {bare} |"
        )
    confused = [f"{a} taken for {b}: {n}" for named in (True, False) for (a, b), n in whole[named][3].items()]
    lines += ["", "Mistaken: " + ("; ".join(confused) or "nothing") + ".", ""]
    if DATA.exists():
        tables, columns, expected, right, alarms, missed, false = real()
        lines += [
            f"Real tables: {tables} with {columns} columns; {expected} of them personal by hand, {right} found"
            f" of the right "
            f"kind (recall {right / expected:.3f}), {alarms} false alarms (precision {right / (right + alarms):.3f}).",
            "",
            "Missed: " + (", ".join(missed) or "none") + ".",
            "",
            "False: " + (", ".join(false) or "none") + ".",
            "",
        ]
    lines += [
        f"Detection adds {speed():.2f} CPU-seconds to a table of 30,000 rows and 15 columns, lists of names loaded.",
        "",
    ]
    print("\n".join(lines))
    RESULTS.write_text("\n".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main()
