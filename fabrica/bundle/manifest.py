"""The list of all files of a bundle, each with its size, its SHA-256 and what it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fabrica.version import VERSION

__all__ = ["MANIFEST", "manifest", "media_type"]

MANIFEST = "manifest.json"
#: ending -> media type
MEDIA = {".json": "application/json", ".md": "text/markdown", ".html": "text/html", ".csv": "text/csv",
         ".tsv": "text/tab-separated-values", ".txt": "text/plain", ".py": "text/x-python", ".jsonl":
         "application/jsonl", ".ndjson": "application/jsonl", ".parquet": "application/vnd.apache.parquet", ".xlsx":
         "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", ".gz": "application/gzip",
         ".zst": "application/zstd", ".arrow": "application/vnd.apache.arrow.file", ".feather":
         "application/vnd.apache.arrow.file"}
#: name of a file -> what it is for
WORDS = {"croissant.json": "the data set for machines, Croissant 1.1", "datacard.md": "the data set for people",
         "datacard.html": "the data set for people", "provenance.json": "where it comes from, PROV",
         "config.json": "what was asked for", "lock.txt": "versions of the software", "sbom.cdx.json":
         "bill of materials, CycloneDX 1.6", "approvals.json": "who answers for it, for what, until when",
         "limits.md": "use, prohibited use, known failures, what is not covered", "verify.py":
         "checks the bundle with Python", "verify.html": "checks the bundle in a browser", "TRUST.md":
         "how to get the key, and what to trust", "report.html": "the report of the twin, in full", "evidence.html":
         "the report of the gate, in full", "intruder.md": "what a motivated intruder found", "schema.json":
         "what was understood of the columns", "model.fab": "the model"}


def media_type(name: str) -> str:
    """The media type of a file, by its ending.

    >>> media_type("data/data.parquet"), media_type("model/model.fab")
    ('application/vnd.apache.parquet', 'application/octet-stream')
    """
    return next((kind for ending, kind in MEDIA.items() if name.endswith(ending)), "application/octet-stream")


def manifest(claim: Mapping[str, Any], digests: Mapping[str, str], sizes: Mapping[str, int], names: Sequence[str]
             ) -> dict[str, Any]:
    """The content of ``manifest.json``; ``names`` are those of the columns."""
    files = [{"name": name, "sha256": digests[name], "bytes": sizes[name], "type": media_type(name),
              "what": WORDS.get(name.split("/")[-1], _words(name))} for name in sorted(digests)]
    return {"fabrica_bundle": claim["format"], "bundle": claim["bundle"], "made": claim["made"],
            "generator": f"fabrica {VERSION}", "synthetic": True, "profile": claim["profile"],
            "data": {"file": claim["data"], "rows": claim["rows"], "columns": list(names)} if claim["data"] else None,
            "versions": {"gate": 1, "evidence": 1, "approvals": 1, "ledger": 1, "croissant": "1.1",
                         "cyclonedx": "1.6", "statement": 1},
            "files": files}


def _words(name: str) -> str:
    return {"data": "synthetic rows", "evidence": "evidence", "model": "the model"}.get(name.split("/")[0], "")
