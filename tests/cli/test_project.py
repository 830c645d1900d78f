"""What the repository promises about setting itself up."""

import json
import re

from scripts.vendor import IMPORTS
from vtid.cli.layout import ROOT


def test_the_lock_file_of_the_page_has_hashes_and_no_addresses() -> None:
    text = (ROOT / "package-lock.json").read_text()
    packages = {name: each for name, each in json.loads(text)["packages"].items() if name}

    assert "://" not in text
    assert all(each["integrity"].startswith("sha512-") for each in packages.values())
    assert {package for _, package, _, _ in IMPORTS} <= {
        name.removeprefix("node_modules/") for name in packages
    }


def test_the_python_lock_has_hashes_and_no_addresses() -> None:
    text = (ROOT / "requirements.lock").read_text()

    assert "://" not in text
    assert all("--hash=sha256:" in pinned for pinned in re.split(r"\n(?=\S)", text) if "==" in pinned)


def test_make_has_the_promised_targets() -> None:
    makefile = (ROOT / "Makefile").read_text()

    for target in ("setup", "demo", "test", "lint", "check", "bench"):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


def test_the_seed_document_is_part_of_the_project() -> None:
    assert (ROOT / "examples" / "VTID-01227.md").read_text().count("VTID-01227") > 1
