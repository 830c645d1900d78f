"""What keeps the page's old faults from coming back, held by its text alone."""

import re
from collections import Counter
from pathlib import Path

UI = Path(__file__).resolve().parents[2] / "api" / "ui"
_COMMENT = re.compile(r"/\*.*?\*/|(?<![:\"'`])//[^\n]*", re.DOTALL)
_DECLARED = re.compile(
    r"^(?:export\s+)?(?:default\s+)?(?:async\s+)?(?:function\*?|class|const|let|var)\s+(\w+)", re.MULTILINE
)


def modules() -> dict[str, str]:
    """Our own modules without their comments; swagger's page is not part of the hub."""
    files = [each for each in UI.rglob("*.js") if "vendor" not in each.parts and each.name != "docs.js"]
    return {str(each.relative_to(UI)): _COMMENT.sub("", each.read_text(encoding="utf-8")) for each in files}


def test_there_is_one_fetch_and_one_event_source_in_the_whole_page() -> None:
    text = "\n".join(modules().values())

    assert len(re.findall(r"\bfetch\(", text)) == 1
    assert len(re.findall(r"\bnew EventSource\(", text)) == 1
    assert not re.search(r"XMLHttpRequest|sendBeacon|WebSocket", text)


def test_no_name_is_declared_twice_in_a_module() -> None:
    twice = {
        name: [each for each, count in Counter(_DECLARED.findall(text)).items() if count > 1]
        for name, text in modules().items()
    }

    assert {name: names for name, names in twice.items() if names} == {}


def test_no_exported_name_means_two_things() -> None:
    exported = [
        (each, name)
        for name, text in modules().items()
        for each in re.findall(
            r"^export\s+(?:async\s+)?(?:function\*?|class|const|let)\s+(\w+)", text, re.MULTILINE
        )
    ]
    twice = {each for each, count in Counter(each for each, _ in exported).items() if count > 1}

    assert [(each, name) for each, name in exported if each in twice] == []


def test_only_cleaned_markdown_becomes_markup() -> None:
    made = {
        (name, each)
        for name, text in modules().items()
        for each in re.findall(r".*(?:innerHTML|outerHTML|insertAdjacentHTML|document\.write).*", text)
    }

    # `safe` is the function of markdown.js, whose answer DOMPurify has cleaned.
    assert {(name, each.strip()) for name, each in made} == {
        ("task/spec.js", "box.current.innerHTML = safe(text);")
    }
