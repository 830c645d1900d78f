from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.domain.examples import ENVIRONMENT, SHOP, VTID
from vtid.domain.environment import Service, path_matches

names = st.text("abcxyz0._-", min_size=1, max_size=6)
paths = st.lists(names, min_size=1, max_size=5).map("/".join)
run_ids = st.uuids().map(str)


@pytest.mark.parametrize(
    ("path", "pattern", "matches"),
    [
        ("services/shop/app.py", "services/shop/**", True),
        ("services/shop", "services/shop/**", True),
        ("services/shopping/app.py", "services/shop/**", False),
        ("services/shop/deep/er/app.py", "services/**/app.py", True),
        ("services/app.py", "services/**/app.py", True),
        ("services/shop/app.py", "services/*", False),
        ("services/shop", "services/*", True),
        ("README.md", "*.md", True),
        ("docs/README.md", "*.md", False),
        ("docs/README.md", "**/*.md", True),
        ("a", "", False),
        ("secrets/prod.env", "Secrets/**", False),  # paths of a repository differ by case
        ("x/secrets/prod.env", "secrets/**", False),
    ],
)
def test_a_pattern_matches_what_it_says(path: str, pattern: str, matches: bool) -> None:
    assert path_matches(path, pattern) is matches


@given(paths)
def test_two_stars_match_every_path(path: str) -> None:
    assert path_matches(path, "**")


@given(paths, paths)
def test_a_folder_with_two_stars_matches_all_below_it_and_nothing_beside(folder: str, path: str) -> None:
    assert path_matches(f"{folder}/{path}", f"{folder}/**")
    assert not path_matches(f"{folder}x/{path}", f"{folder}/**")


@given(paths)
def test_a_path_matches_itself(path: str) -> None:
    assert path_matches(path, path)


@given(run_ids, st.integers(1, 99))
def test_the_branch_of_an_attempt_is_a_branch_of_its_vtid(run_id: str, attempt: int) -> None:
    branch = ENVIRONMENT.branch_for(VTID, run_id, attempt)

    assert ENVIRONMENT.is_branch_of(VTID, branch)
    assert ENVIRONMENT.is_branch_of(VTID, branch.upper())


@given(run_ids, st.lists(st.integers(1, 999), unique=True, min_size=2, max_size=4))
def test_no_two_attempts_of_a_run_share_a_branch(run_id: str, attempts: list[int]) -> None:
    branches = {ENVIRONMENT.branch_for(VTID, run_id, attempt) for attempt in attempts}

    assert len(branches) == len(attempts)


def test_runs_that_began_in_the_same_moment_share_no_branch() -> None:
    # As Temporal makes them: the moment of the start first, and chance only behind it.
    runs = ("01a21e78-ffe9-76cf-8dc2-5c164dacedc6", "01a21e78-ffea-710a-904f-822961427f96")

    assert len({ENVIRONMENT.branch_for(VTID, run_id, 1) for run_id in runs}) == 2


@pytest.mark.parametrize(
    "branch", ["main", "claude/vtid-0122-x", "claude/vtid-012270-x", "claude/vtid-01227", "x"]
)
def test_a_branch_of_another_vtid_is_not_ours(branch: str) -> None:
    assert not ENVIRONMENT.is_branch_of(VTID, branch)


def test_an_environment_declares_exactly_its_repositories() -> None:
    drill = replace(ENVIRONMENT, repository="acme/drill-*")

    assert drill.declares("acme/drill-7")
    assert not drill.declares("acme/shop")
    assert not ENVIRONMENT.declares("acme/shop2")


def test_a_service_may_be_named_like_its_repository() -> None:
    assert Service("drill", "{repository_name}").cloud_run_name("acme/drill-7") == "drill-7"
    assert SHOP.cloud_run_name("acme/anything") == "shop"


def test_every_service_that_a_change_touches_is_deployed() -> None:
    mail = Service("mail", "mail", ("services/mail/**", "shared/**"))
    both = replace(ENVIRONMENT, services=(SHOP, mail))

    assert both.services_touched_by(("services/shop/a", "shared/b")) == (SHOP, mail)
    assert both.services_touched_by(("services/mail/a",)) == (mail,)
    assert both.services_touched_by(("README.md",)) == ()


def test_a_worker_must_be_capable_of_what_the_environment_and_the_named_services_ask() -> None:
    mail = Service("mail", "mail", requires=("python", "smtp"))
    both = replace(ENVIRONMENT, services=(SHOP, mail), requires=("linux", "python"))

    assert both.required_of_workers(()) == ("linux", "python")
    assert both.required_of_workers(("mail",)) == ("linux", "python", "smtp")
    assert ENVIRONMENT.required_of_workers(("shop",)) == ()
