import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.domain.examples import HEAD, OTHER_HEAD, REPOSITORY, pull_request
from vtid.domain.evidence import (
    ClaimedEvidence,
    InvalidEvidence,
    check_sha,
    contradictions,
    parse_pull_url,
    refuse_claim,
)

URL = "https://github.test/acme/shop/pull/7"


@pytest.mark.parametrize(
    ("url", "place"),
    [
        (URL, ("acme/shop", 7)),
        (f"  {URL}/ ", ("acme/shop", 7)),
        (f"{URL}#issuecomment-1", ("acme/shop", 7)),
        (f"{URL}?diff=split", ("acme/shop", 7)),
        ("http://127.0.0.1:8710/acme/shop/pull/12", ("acme/shop", 12)),
        ("https://host/github/acme/my.shop_2/pull/3", ("acme/my.shop_2", 3)),
    ],
)
def test_the_address_of_a_pull_request_names_repository_and_number(url: str, place: tuple[str, int]) -> None:
    assert parse_pull_url(url) == place


@pytest.mark.parametrize(
    "url",
    [
        "",
        "not a url",
        "ftp://github.test/acme/shop/pull/7",
        "https://github.test/acme/shop",
        "https://github.test/acme/shop/pull/",
        "https://github.test/acme/shop/pull/seven",
        "https://github.test/acme/shop/pull/0",
        "https://github.test/acme/shop/pull/٧",
        "https://github.test/acme/shop/issues/7",
        "https://github.test/?of=/acme/shop/pull/7",
        "https://github.test/#/acme/shop/pull/7",
        f"{URL}\n{URL}",
        "javascript:alert(1)",
    ],
)
def test_what_is_no_address_of_a_pull_request_names_the_field(url: str) -> None:
    with pytest.raises(InvalidEvidence) as refusal:
        parse_pull_url(url)

    assert refusal.value.field == "pr_url"


@given(st.text())
def test_any_text_is_an_address_or_refused(text: str) -> None:
    try:
        repository, number = parse_pull_url(text)
    except InvalidEvidence:
        return
    assert repository.count("/") == 1
    assert number >= 0


@given(st.text("0123456789abcdefABCDEF", min_size=40, max_size=40))
def test_a_commit_sha_is_kept_in_lower_case(sha: str) -> None:
    assert check_sha(sha) == sha.lower()


@pytest.mark.parametrize("sha", ["", "abc1234", HEAD[1:], HEAD + "a", "g" * 40, HEAD + "\n", " " + HEAD])
def test_anything_else_is_no_commit_sha(sha: str) -> None:
    with pytest.raises(InvalidEvidence, match="40 hexadecimal digits"):
        check_sha(sha)


def test_a_claim_that_github_confirms_is_not_refused() -> None:
    claim = ClaimedEvidence(URL, HEAD)

    assert refuse_claim(claim, pull_request(), REPOSITORY, adopted=False) is None


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"repository": "other/shop", "head_repository": "other/shop"}, "in other/shop, not in acme/shop"),
        ({"is_open": False}, "is closed"),
        ({"is_open": False, "merged": True}, "merged already"),
        ({"head_repository": "mallory/shop"}, "from the fork mallory/shop"),
        ({"head_repository": None}, "from the fork (deleted)"),
        ({"head_sha": OTHER_HEAD}, "the head is cccccccccccc, claimed was aaaaaaaaaaaa"),
    ],
)
def test_a_claim_that_does_not_hold_is_refused_with_the_reason(
    changes: dict[str, object], reason: str
) -> None:
    refused = refuse_claim(ClaimedEvidence(URL, HEAD), pull_request(**changes), REPOSITORY, adopted=False)

    assert refused is not None
    assert reason in refused


def test_a_pull_request_that_nobody_opened_is_refused() -> None:
    assert refuse_claim(ClaimedEvidence(URL), None, REPOSITORY, adopted=False) == (
        f"GitHub has no pull request at {URL}"
    )


@pytest.mark.parametrize("adopted", [True, False])
def test_only_a_person_may_hand_in_what_is_merged(adopted: bool) -> None:
    merged = pull_request(is_open=False, merged=True)

    assert (refuse_claim(ClaimedEvidence(URL), merged, REPOSITORY, adopted=adopted) is None) is adopted


def test_a_person_cannot_adopt_what_was_closed_unmerged() -> None:
    closed = pull_request(is_open=False)

    assert (
        refuse_claim(ClaimedEvidence(URL), closed, REPOSITORY, adopted=True) == "the pull request is closed"
    )


def test_case_alone_is_no_difference() -> None:
    spelled = pull_request(repository="Acme/Shop", head_repository="acme/shop")
    claim = ClaimedEvidence(URL, HEAD.upper())

    assert refuse_claim(claim, spelled, REPOSITORY, adopted=False) is None
    assert contradictions(claim, spelled) == {}


def test_claims_beside_facts_show_where_they_differ() -> None:
    claim = ClaimedEvidence(URL, OTHER_HEAD, branch="mine")

    assert contradictions(claim, pull_request()) == {
        "head_sha": (OTHER_HEAD, HEAD),
        "branch": ("mine", pull_request().branch),
    }


def test_what_was_not_claimed_contradicts_nothing() -> None:
    assert contradictions(ClaimedEvidence(URL), pull_request()) == {}
