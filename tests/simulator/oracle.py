"""The vendors' own schemas as judges of what we answer and of what clients send."""

import json
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

VENDOR = Path(__file__).parents[1] / "data" / "vendor"


@cache
def document(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((VENDOR / f"{name}.json").read_text())
    return loaded


@cache
def validator(vendor: str, kind: str) -> Draft202012Validator:
    known = document(vendor)
    root = known.get("roots", {}).get(kind, {"$ref": f"#/$defs/{kind}"})
    return Draft202012Validator({**root, "$defs": known["$defs"]})


def faults(vendor: str, kind: str, content: Any) -> list[str]:
    found = validator(vendor, kind).iter_errors(content)
    return [f"{'/'.join(map(str, it.absolute_path))}: {it.message[:200]}" for it in found]


def judge_github(kind: str, content: Any) -> None:
    assert faults("github-2026-03-10", kind, content) == []


def judge_cloud_run(kind: str, content: Any) -> None:
    assert faults("cloud-run-v2", kind, content) == []
