"""Lay what the pages import from node_modules under api/ui/vendor, under names that an import map can use.

The files are copied byte for byte; vendor.json beside them says what they are, with their SHA-256.
"""

import hashlib
import json
import shutil
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
MODULES = ROOT / "node_modules"
VENDOR = ROOT / "api" / "ui" / "vendor"

# What the pages import: (the name it imports, the package, the file in the package, the file here).
IMPORTS = (
    ("preact", "preact", "dist/preact.mjs", "preact.mjs"),
    ("preact/hooks", "preact", "hooks/dist/hooks.mjs", "hooks.mjs"),
    ("@preact/signals-core", "@preact/signals-core", "dist/signals-core.mjs", "signals-core.mjs"),
    ("@preact/signals", "@preact/signals", "dist/signals.mjs", "signals.mjs"),
    ("htm", "htm", "dist/htm.mjs", "htm.mjs"),
    ("htm/preact", "htm", "preact/index.mjs", "htm-preact.mjs"),
    ("marked", "marked", "lib/marked.esm.js", "marked.mjs"),
    ("dompurify", "dompurify", "dist/purify.es.mjs", "dompurify.mjs"),
    ("swagger-ui", "swagger-ui-dist", "swagger-ui-bundle.js", "swagger-ui-bundle.js"),
    ("swagger-ui.css", "swagger-ui-dist", "swagger-ui.css", "swagger-ui.css"),
)


def main() -> None:
    """Make the folder anew, so that nothing old stays in it."""
    shutil.rmtree(VENDOR, ignore_errors=True)
    VENDOR.mkdir(parents=True)
    made = {}
    for name, package, source, target in IMPORTS:
        file = shutil.copyfile(MODULES / package / source, VENDOR / target)
        licence = MODULES / package / "LICENSE"
        shutil.copyfile(licence, VENDOR / f"LICENSE.{package.replace('/', '-').removeprefix('@')}")
        described = json.loads((MODULES / package / "package.json").read_text(encoding="utf-8"))
        made[name] = {
            "file": target,
            "version": described["version"],
            "licence": described["license"],
            "sha256": hashlib.sha256(file.read_bytes()).hexdigest(),
        }
    (VENDOR / "vendor.json").write_text(json.dumps(made, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
