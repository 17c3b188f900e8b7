"""The release as machines that look for data sets read it: Croissant 1.1 JSON-LD with its responsible-AI fields.

Written by hand, since it is plain JSON. MLCommons, Croissant Format Specification 1.1 (2026) and Croissant RAI 1.0.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fabrica.bundle.made import Made
from fabrica.bundle.manifest import media_type
from fabrica.bundle.page_one import verdict_line
from fabrica.version import VERSION

__all__ = ["croissant"]

CONTEXT: Mapping[str, Any] = {
    "@language": "en", "@vocab": "https://schema.org/", "arrayShape": "cr:arrayShape", "citeAs": "cr:citeAs",
    "column": "cr:column", "conformsTo": "dct:conformsTo", "containedIn": "cr:containedIn",
    "cr": "http://mlcommons.org/croissant/", "rai": "http://mlcommons.org/croissant/RAI/",
    "data": {"@id": "cr:data", "@type": "@json"}, "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/", "description": {"@container": "@language"},
    "equivalentProperty": "cr:equivalentProperty", "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract", "field": "cr:field", "fileProperty": "cr:fileProperty", "fileObject": "cr:fileObject",
    "fileSet": "cr:fileSet", "format": "cr:format", "includes": "cr:includes", "isArray": "cr:isArray",
    "isLiveDataset": "cr:isLiveDataset", "jsonPath": "cr:jsonPath", "key": "cr:key", "md5": "cr:md5",
    "name": {"@container": "@language"}, "parentField": "cr:parentField", "path": "cr:path",
    "recordSet": "cr:recordSet", "references": "cr:references", "regex": "cr:regex", "repeated": "cr:repeated",
    "replace": "cr:replace", "samplingRate": "cr:samplingRate", "sc": "https://schema.org/",
    "separator": "cr:separator", "source": "cr:source", "subField": "cr:subField", "transform": "cr:transform"}

#: kind of a column -> the type of its values in Croissant
TYPES = {"integer": "sc:Integer", "decimal": "sc:Float", "boolean": "sc:Boolean"}


def croissant(made: Made, claim: Mapping[str, Any], digests: Mapping[str, str], sizes: Mapping[str, int]
              ) -> dict[str, Any]:
    """The content of ``croissant.json``; ``digests`` and ``sizes`` (bytes) of the files that are shared."""
    personal = sorted({one["personal"] for one in made.columns if one["personal"]})
    return {"@context": dict(CONTEXT), "@type": "sc:Dataset",
            "conformsTo": ["http://mlcommons.org/croissant/1.1", "http://mlcommons.org/croissant/RAI/1.0"],
            "name": f"{claim['name']}-synthetic", "description": _description(made, claim), "version": "1.0.0",
            "datePublished": claim["made"][:10], "expires": claim["expires"],
            "keywords": ["synthetic", "synthetic data", "tabular"], "isLiveDataset": False,
            "identifier": f"urn:uuid:{claim['bundle']}", "url": f"urn:uuid:{claim['bundle']}",
            "license": "as agreed with the recipients; see approvals.json and limits.md",
            "creator": {"@type": "sc:Organization", "name": "the approvers named in approvals.json"},
            "citeAs": f"release {claim['bundle']}, made with fabrica {VERSION}",
            **_responsible(made, claim, personal), **_files(made, claim, digests, sizes)}


def _description(made: Made, claim: Mapping[str, Any]) -> str:
    return (f"Synthetic rows; one may equal a real row by chance. They were drawn from a model that was learned from "
            f"a real table ({made.recipe.get('engine')}). The release {verdict_line(claim)}.")


def _responsible(made: Made, claim: Mapping[str, Any], personal: Sequence[str]) -> dict[str, Any]:
    """The fields of the RAI vocabulary that can be said truly."""
    noise = f", under differential privacy with epsilon {claim['epsilon']}" if claim["epsilon"] else ""
    return {
        "rai:dataCollection": f"Drawn from a model of a real table with fabrica {VERSION}{noise}; see provenance.json.",
        "rai:dataCollectionType": ["Synthetic"],
        "rai:dataPreprocessingProtocol": ["Columns are encoded by codecs; levels and ends that fewer than k people "
                                          "hold are never drawn; see config.json."],
        "rai:dataManipulationProtocol": "Rows were judged by the gate after they were drawn, and not changed since.",
        "rai:dataImputationProtocol": "Missing cells are drawn as missing, as often as in the source.",
        "rai:dataBiases": ["Biases of the source are carried over; evidence/fairness.json says what was measured."],
        "rai:dataLimitations": ["See limits.md: intended and prohibited use, tests not passed, what is not covered."],
        "rai:dataUseCases": [claim["purpose"] or "not stated"],
        "rai:dataSocialImpact": "Statements about single people must not be drawn from it.",
        "rai:personalSensitiveInformation": [_personal(made, personal)],
        "rai:dataReleaseMaintenancePlan": f"To be judged again by {claim['expires']}; not to be used after that day."}


def _personal(made: Made, kinds: Sequence[str]) -> str:
    if not made.looked_for_people:
        return "The columns were not searched for personal data, since under an epsilon each look must be paid for."
    told = f"The source held: {', '.join(kinds)}" if kinds else "No column of personal data was recognised"
    return f"{told}; see evidence/identifiers.json."


def _files(made: Made, claim: Mapping[str, Any], digests: Mapping[str, str], sizes: Mapping[str, int]
           ) -> dict[str, Any]:
    files = [{"@type": "cr:FileObject", "@id": name, "name": name, "contentUrl": name,
              "encodingFormat": media_type(name), "contentSize": f"{sizes[name]} B", "sha256": digests[name]}
             for name in (claim["data"], claim["model"]) if name]
    if not claim["data"]:
        return {"distribution": files}
    fields = [{"@type": "cr:Field", "@id": f"rows/{one['name']}", "name": one["name"],
               "description": f"synthetic {one['kind']}", "dataType": TYPES.get(one["kind"], "sc:Text"),
               "source": {"fileObject": {"@id": claim["data"]}, "extract": {"column": one["name"]}}}
              for one in made.columns]
    return {"distribution": files, "recordSet": [{"@type": "cr:RecordSet", "@id": "rows", "name": "rows",
                                                  "description": "synthetic rows", "field": fields}]}
