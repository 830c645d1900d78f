"""Which modules the page needs before it can show anything: told at once, so that the browser need not find them one by one."""

import json
import posixpath
import re
from functools import cache
from pathlib import Path

UI = Path(__file__).parent / "ui"
_FIRST = "/ui/app.js"
# `import … from "x"`; what is imported later, by `import("x")`, is not meant.
_IMPORT = re.compile(r"""\b(?:import|export)\b[^"'();]*?\bfrom\s*["']([^"']+)["']""")
_IMPORT_MAP = re.compile(r'<script type="importmap">(.*?)</script>', re.DOTALL)
_PLACE = "<!-- preloads -->"


@cache
def first_page() -> str:
    """index.html with the modules that it needs, as preloads. Kept: its policy is made once, too."""
    text = (UI / "index.html").read_text(encoding="utf-8")
    links = "\n    ".join(f'<link rel="modulepreload" href="{each}" />' for each in first_modules())
    return text.replace(_PLACE, links)


def first_modules() -> list[str]:
    """The addresses of every module that app.js imports at once, itself first, however deep."""
    found = _IMPORT_MAP.search((UI / "index.html").read_text(encoding="utf-8"))
    names: dict[str, str] = json.loads(found.group(1))["imports"] if found else {}
    known = [_FIRST]
    for address in known:
        text = (UI / address.removeprefix("/ui/")).read_text(encoding="utf-8")
        for name in _IMPORT.findall(text):
            there = names.get(name) or posixpath.normpath(posixpath.join(posixpath.dirname(address), name))
            if there not in known:
                known.append(there)
    return known
