import hashlib
from pathlib import Path
from time import perf_counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vtid.domain.task import EXPECTED_SECTIONS, MAX_SPEC_BYTES, examine_spec, spec_hash

SEED = Path(__file__).parents[2] / "examples" / "VTID-01227.md"
WHOLE = "# Goal\n\nDo it.\n\n## Scope\n\nHere.\n\n## Acceptance Criteria\n\nIt is done.\n"
texts = st.text(st.characters(exclude_categories=["Cs"]))


@given(texts)
def test_the_hash_is_of_the_exact_bytes(text: str) -> None:
    assert spec_hash(text) == hashlib.sha256(text.encode("utf-8")).hexdigest()


@pytest.mark.parametrize("other", ["# Goal", "# Goal\r\n", "\ufeff# Goal\n", "# Goal \n"])
def test_nothing_is_normalised_before_it_is_hashed(other: str) -> None:
    assert spec_hash(other) != spec_hash("# Goal\n")


def test_composed_and_decomposed_letters_are_different_texts() -> None:
    assert spec_hash("# Caf\u00e9") != spec_hash("# Cafe\u0301")


def test_a_whole_spec_has_no_findings() -> None:
    found = examine_spec(WHOLE)

    assert (found.errors, found.warnings) == ((), ())


def test_the_seed_document_may_be_approved() -> None:
    assert examine_spec(SEED.read_bytes().decode("utf-8")).errors == ()


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("", "empty"),
        (" \n\t\n", "empty"),
        ("just words", "no heading"),
        ("#hashtag", "no heading"),
        ("#\n\nwords below a heading without words", "no heading"),
        ("    # code", "no heading"),
        ("# Goal \ud800", "not valid UTF-8"),
        ("# Goal\n" + "x" * MAX_SPEC_BYTES, "at most 1000000"),
        ("# Goal\n" + "é" * (MAX_SPEC_BYTES // 2), "at most 1000000"),  # bytes count, not letters
    ],
)
def test_what_cannot_be_approved_says_why(text: str, error: str) -> None:
    assert [error in each for each in examine_spec(text).errors] == [True]


@pytest.mark.parametrize(
    "text", ["# Goal #", "   ###### goal", "Goal\n====", "Goal\r\n----\r\n", "# The goal"]
)
def test_every_way_to_write_a_heading_is_seen(text: str) -> None:
    assert "no section 'Goal'" not in examine_spec(text).warnings


def test_missing_sections_are_warnings() -> None:
    found = examine_spec("# Title\n\nGoal, Scope and Acceptance Criteria in the text do not count.\n")

    assert found.errors == ()
    assert found.warnings == tuple(f"no section '{name}'" for name in EXPECTED_SECTIONS)


@pytest.mark.parametrize(
    "text",
    ["# a" + " " * 900_000 + "x", "#" * 900_000, "a" * 900_000, "a\n" + "-" * 900_000 + "x", "# a" + " #" * 400_000],
    ids=["blanks", "hashes", "letters", "underline", "closing"],
)  # fmt: skip
def test_a_hostile_text_is_examined_as_fast_as_another(text: str) -> None:
    begun = perf_counter()
    examine_spec(text)

    assert perf_counter() - begun < 2


@given(texts)
def test_any_text_gets_findings_and_no_error(text: str) -> None:
    found = examine_spec(text)

    assert found.errors or text.strip()
