import pytest
from hypothesis import given
from hypothesis import strategies as st

from vtid.domain.vtid import InvalidVtid, canonical_vtid, digits_of, mentioned_vtids

digits = st.text("0123456789", min_size=4, max_size=12)


@given(digits, st.sampled_from(["VTID-", "vtid-", "Vtid-", "  vtid-"]))
def test_every_spelling_has_one_canonical_form(number: str, prefix: str) -> None:
    assert canonical_vtid(prefix + number) == f"VTID-{number}"
    assert digits_of(canonical_vtid(prefix + number)) == number


@given(digits)
def test_the_canonical_form_stays_as_it_is(number: str) -> None:
    assert canonical_vtid(canonical_vtid(f"vtid-{number}")) == f"VTID-{number}"


@pytest.mark.parametrize(
    "text",
    ["", "VTID", "VTID-", "VTID-123", "VTID-12a4", "VTID 1234", "VTID-1234-x", "XVTID-1234", "VTID-1234\nx"],
)
def test_what_is_no_vtid_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(InvalidVtid, match="like VTID-01227"):
        canonical_vtid(text)


@pytest.mark.parametrize("text", ["VTID-٠١٢٢٧", "vtıd-01227", "VTİD-01227"])
def test_digits_and_letters_of_other_scripts_are_not_ours(text: str) -> None:
    with pytest.raises(InvalidVtid):
        canonical_vtid(text)
    assert mentioned_vtids(text) == ()


def test_a_long_wrong_text_is_not_echoed_as_a_whole() -> None:
    with pytest.raises(InvalidVtid) as refusal:
        canonical_vtid("x" * 10_000)

    assert len(str(refusal.value)) < 200


@given(st.text())
def test_whatever_is_accepted_is_canonical(text: str) -> None:
    try:
        vtid = canonical_vtid(text)
    except InvalidVtid:
        return
    assert mentioned_vtids(vtid) == (vtid,)


@pytest.mark.parametrize(
    ("text", "vtids"),
    [
        ("feat: pay (VTID-03178) (#2378)", ("VTID-03178",)),
        ("claude/vtid-01227-abcdef-1", ("VTID-01227",)),
        ("VTID 01227, vtid_01228 and VTID01229", ("VTID-01227", "VTID-01228", "VTID-01229")),
        ("VTID-123 is too short", ()),
        ("MYVTID-01227 is another word", ()),
        ("1VTID-01227 too", ()),
    ],
)
def test_mentions_are_found_in_titles_bodies_and_branches(text: str, vtids: tuple[str, ...]) -> None:
    assert mentioned_vtids(text) == vtids


def test_each_mention_counts_once_in_reading_order() -> None:
    assert mentioned_vtids("VTID-00002 vtid-00001", "VTID-00002") == ("VTID-00002", "VTID-00001")


@given(st.lists(digits, min_size=1, max_size=5), st.text("abc ,.;()/\n", min_size=1, max_size=3))
def test_every_canonical_vtid_in_a_text_is_found(numbers: list[str], between: str) -> None:
    text = between.join(f" VTID-{number}" for number in numbers)

    assert mentioned_vtids(text) == tuple(dict.fromkeys(f"VTID-{number}" for number in numbers))
