"""What GitHub shows, in our words: pull requests, files, checks, ancestry; and its ways to say "not now"."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from vtid.adapters.errors import LONGEST_PAUSE
from vtid.adapters.github import GitHub
from vtid.domain.change import Ancestry, CheckState
from vtid.domain.errors import BadReply, Conflict, Denied, Missing, Unavailable
from vtid.domain.extraction import PullRequestWords

if TYPE_CHECKING:
    from tests.adapters.conftest import Sim

VTID = "VTID-01227"
HOUR = timedelta(hours=1)


def found(sim: Sim, since: datetime | None = None) -> list[int]:
    pulls = sim.git_hub.find_pull_requests("acme/shop", VTID, sim.environment, since)
    return [pull.number for pull in pulls]


# --- pull requests


def test_a_green_check_of_another_app_does_not_hide_a_red_one_of_the_same_name(sim: Sim) -> None:
    sim.behaves(checks={"conclusion": "failure"})
    pull = sim.opens_pull()
    sim.creates_check(pull.head_sha, "ci", "success")

    checks = sim.git_hub.checks("acme/shop", pull.head_sha)

    assert {(check.app, check.state) for check in checks} == {
        ("github-actions", CheckState.RED),
        ("vtid", CheckState.GREEN),
    }


def test_a_pull_request_is_told_with_every_vtid_that_it_names(sim: Sim) -> None:
    pull = sim.opens_pull(title="Add checkout", body="Closes vtid_01300.", head="claude/vtid-01227-x-1")

    assert pull.vtids == ("VTID-01300", "VTID-01227")
    assert pull.is_open
    assert not pull.from_fork
    assert pull.created_at.tzinfo is not None


def test_the_words_of_a_pull_request_are_read_without_its_merge(sim: Sim) -> None:
    sim.opens_pull(title="Add checkout", body="VTID: VTID-01227", head="claude/x")
    words = sim.git_hub.pull_request_words("acme/shop", 1)

    assert words == PullRequestWords("Add checkout", "VTID: VTID-01227", "claude/x")
    assert sim.git_hub.pull_request_words("acme/shop", 99) is None


def test_mergeability_is_unknown_until_github_has_computed_it(sim: Sim) -> None:
    first, second = sim.opens_pull(), sim.reads(1)

    assert (first.mergeable, second.mergeable) == (None, True)


def test_a_pull_request_from_a_fork_is_told_as_such(sim: Sim) -> None:
    assert sim.opens_pull(fork=True).from_fork


def test_a_deleted_fork_is_a_fork(sim: Sim) -> None:
    sim.opens_pull()
    shown = sim.shows("pulls/1")
    orphan = {**shown, "head": {**shown["head"], "repo": None}}
    sim.breaks("GET", r"/pulls/1$", {"status": 200, "body": orphan})

    assert sim.reads(1).from_fork


def test_no_pull_request_of_this_number_is_none(sim: Sim) -> None:
    assert sim.git_hub.pull_request("acme/shop", 99) is None


def test_a_repository_that_we_may_not_see_is_never_a_no(sim: Sim) -> None:
    with pytest.raises(Missing):
        sim.git_hub.pull_request("acme/secret", 1)


@pytest.mark.parametrize(
    "name", ["../..", "acme/..", "./shop", "acme", "acme/shop/x", "acme/shop?x=1", "acme/%2e%2e", ""]
)
def test_a_name_that_is_no_repository_asks_for_nothing(sim: Sim, name: str) -> None:
    asked = len(sim.journal())

    with pytest.raises(Missing, match="no repository"):
        sim.git_hub.pull_request(name, 1)

    assert len(sim.journal()) == asked


def test_pull_requests_are_found_by_branch_or_title_newest_first(sim: Sim) -> None:
    sim.opens_pull(title="No id", head="claude/vtid-01227-a-1")
    sim.opens_pull(title="vtid-01227: by title", head="feature/x")
    sim.opens_pull(title="Another (VTID-01228)", head="claude/vtid-01228-a-1")
    sim.opens_pull(title="Body only", head="feature/y", body=VTID)
    sim.opens_pull(title="Longer id VTID-012270", head="claude/vtid-012270-a-1")
    sim.closes(1)

    assert found(sim) == [2, 1]


def test_a_found_pull_request_that_is_merged_knows_its_commit(sim: Sim) -> None:
    answer = sim.git_hub.merge(sim.merge_command(sim.opens_pull()))

    pulls = sim.git_hub.find_pull_requests("acme/shop", VTID, sim.environment)

    assert [pull.merge_sha for pull in pulls] == [answer.sha]


def test_pull_requests_older_than_the_task_are_not_its_own(sim: Sim) -> None:
    sim.opens_pull()

    now = datetime.now(UTC)
    assert found(sim, now - HOUR) == [1]
    assert found(sim, now + HOUR) == []


def test_every_page_of_pull_requests_is_read(sim: Sim) -> None:
    sim.opens_pull()
    for number in range(105):
        sim.control.post(
            "/_sim/pulls",
            json={
                "repository": "acme/shop",
                "head": f"feature/{number}",
                "base": "main",
                "title": "Other",
                "files": [{"path": "a", "content": str(number)}],
            },
        )

    assert found(sim) == [1]


# --- files


def test_every_page_of_files_is_read(sim: Sim) -> None:
    files = [{"path": f"docs/{number:03}.md", "content": "text\n"} for number in range(250)]
    sim.opens_pull(files=files)

    changed = sim.git_hub.changed_files("acme/shop", 1)

    assert changed.paths == tuple(file["path"] for file in files)
    assert changed.complete


def test_a_secret_in_the_diff_is_told_by_its_kind_and_never_by_its_value(sim: Sim) -> None:
    value = "ghp_" + "a1B2" * 9
    sim.opens_pull(files=[{"path": "settings.py", "content": f"TOKEN = '{value}'\n"}])

    changed = sim.git_hub.changed_files("acme/shop", 1)

    assert changed.secrets == ("settings.py: GitHub token",)
    assert value not in repr(changed)


def told_files(sim: Sim, *files: dict[str, Any], count: int | None = None) -> None:
    """GitHub's list of files as told here; the pull request counts them, or `count`."""
    sim.opens_pull()
    shown = sim.shows("pulls/1") | {"changed_files": len(files) if count is None else count}
    sim.breaks("GET", r"/pulls/1$", {"status": 200, "body": shown})
    sim.breaks("GET", r"/pulls/1/files$", {"status": 200, "body": list(files)})


def test_a_moved_file_changes_both_of_its_paths(sim: Sim) -> None:
    told_files(sim, {"filename": "new.py", "previous_filename": ".github/old.py", "additions": 0})

    assert sim.git_hub.changed_files("acme/shop", 1).paths == ("new.py", ".github/old.py")


@pytest.mark.parametrize(
    ("files", "count"),
    [
        ([{"filename": "a", "additions": 1, "patch": "+1"}], 2),
        ([{"filename": "huge.json", "additions": 90_000}], 1),
        ([{"filename": f"{n}", "additions": 1, "patch": "+1"} for n in range(3_000)], 3_000),
    ],
    ids=["fewer files than counted", "added lines that GitHub withholds", "GitHub's cap of 3,000"],
)
def test_a_diff_that_could_not_be_read_whole_is_not_complete(
    sim: Sim, files: list[dict[str, Any]], count: int
) -> None:
    told_files(sim, *files, count=count)

    assert not sim.git_hub.changed_files("acme/shop", 1).complete


def test_a_binary_file_without_added_lines_keeps_the_diff_complete(sim: Sim) -> None:
    told_files(sim, {"filename": "logo.png", "additions": 0})

    assert sim.git_hub.changed_files("acme/shop", 1).complete


# --- checks


def test_every_page_of_checks_is_read(sim: Sim) -> None:
    sim.behaves(checks={"after_s": 0, "names": [f"check-{number:03}" for number in range(130)]})
    pull = sim.opens_pull()

    assert len(sim.git_hub.checks("acme/shop", pull.head_sha)) == 130


def test_only_the_latest_run_of_a_name_counts(sim: Sim) -> None:
    pull = sim.opens_pull()
    sim.checks(pull.head_sha, "failure")
    sim.checks(pull.head_sha, "success")

    checks = sim.git_hub.checks("acme/shop", pull.head_sha)

    assert [(check.name, check.state) for check in checks] == [("ci", CheckState.GREEN)]


def test_the_later_of_two_suites_counts_whatever_their_order(sim: Sim) -> None:
    runs = [run(9, "completed", "failure"), run(7, "completed", "success")]
    sim.breaks("GET", "check-runs", {"status": 200, "body": {"total_count": 2, "check_runs": runs}})
    pull = sim.opens_pull()

    assert [check.state for check in sim.git_hub.checks("acme/shop", pull.head_sha)] == [CheckState.RED]


def run(number: int, status: str, conclusion: str | None) -> dict[str, Any]:
    return {"id": number, "name": "ci", "status": status, "conclusion": conclusion, "html_url": None}


@pytest.mark.parametrize(
    ("status", "conclusion", "expected"),
    [
        ("completed", "success", CheckState.GREEN),
        ("completed", "skipped", CheckState.SKIPPED),
        ("completed", "neutral", CheckState.SKIPPED),
        *[
            ("completed", word, CheckState.RED)
            for word in (
                "failure", "cancelled", "timed_out", "action_required", "startup_failure", "stale", None, "new"
            )
        ],
        *[
            (word, None, CheckState.PENDING)
            for word in ("queued", "in_progress", "pending", "waiting", "requested", "new")
        ],
    ],
)  # fmt: skip
def test_only_a_plain_success_is_green(
    sim: Sim, status: str, conclusion: str | None, expected: CheckState
) -> None:
    pull = sim.opens_pull()
    body = {"total_count": 1, "check_runs": [run(1, status, conclusion)]}
    sim.breaks("GET", "check-runs", {"status": 200, "body": body})

    assert [check.state for check in sim.git_hub.checks("acme/shop", pull.head_sha)] == [expected]


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ("success", CheckState.GREEN),
        ("pending", CheckState.PENDING),
        ("failure", CheckState.RED),
        ("error", CheckState.RED),
    ],
)
def test_a_commit_status_is_a_check(sim: Sim, state: str, expected: CheckState) -> None:
    sim.behaves(checks={"auto": False})
    pull = sim.opens_pull()
    sim.reports_status(pull.head_sha, state, "legacy-ci")

    checks = sim.git_hub.checks("acme/shop", pull.head_sha)

    assert [(check.name, check.state) for check in checks] == [("legacy-ci", expected)]


def test_a_check_and_a_status_of_one_name_both_count(sim: Sim) -> None:
    pull = sim.opens_pull()
    sim.reports_status(pull.head_sha, "failure", "ci")

    states = [check.state for check in sim.git_hub.checks("acme/shop", pull.head_sha)]

    assert states == [CheckState.GREEN, CheckState.RED]


def test_required_checks_come_from_rulesets_and_from_classic_protection(sim: Sim) -> None:
    sim.behaves(protection={"required_checks": ["ci", "security"]})
    protected = {"protection": {"required_status_checks": {"contexts": ["ci", "licences"]}}}
    sim.breaks("GET", r"/shop/branches/main$", {"status": 200, "body": protected})

    assert sim.git_hub.required_checks("acme/shop", "main") == ("ci", "security", "licences")


@pytest.mark.parametrize(
    ("rules", "protected", "is_protected"),
    [
        ([], False, False),
        ([], True, True),
        ([{"type": "pull_request", "parameters": {}}], False, True),
        ([{"type": "non_fast_forward"}, {"type": "deletion"}], False, False),
    ],
)
def test_a_branch_is_protected_by_what_keeps_people_from_changing_it(
    sim: Sim, rules: list[dict[str, Any]], protected: bool, is_protected: bool
) -> None:
    sim.breaks("GET", r"/rules/branches/main$", {"status": 200, "body": rules})
    branch = {"protected": protected, "protection": {"enabled": protected}}
    sim.breaks("GET", r"/shop/branches/main$", {"status": 200, "body": branch})

    found = sim.git_hub.branch_rules("acme/shop", "main")

    assert (found.protected, found.required) == (is_protected, ())


def test_a_plan_without_rulesets_requires_nothing_by_them(sim: Sim) -> None:
    said = "Upgrade to GitHub Pro or make this repository public to enable this feature."
    sim.breaks("GET", r"/rules/branches/", {"status": 403, "body": {"message": said}})

    assert sim.git_hub.required_checks("acme/shop", "main") == ()


# --- ancestry


def test_ancestry_is_told_from_our_commit(sim: Sim) -> None:
    ours = sim.commits("one", "1\n")
    later = sim.commits("two", "2\n")
    aside = sim.opens_pull().head_sha
    latest = sim.commits("three", "3\n")

    def relation(one: str, other: str) -> Ancestry:
        return sim.git_hub.compare("acme/shop", one, other)

    assert relation(ours, ours) is Ancestry.SAME
    assert relation(ours, later) is Ancestry.DESCENDANT
    assert relation(later, ours) is Ancestry.ANCESTOR
    assert relation(latest, aside) is Ancestry.DIVERGED


# --- not now, not here, not readable


def test_a_202_neither_sleeps_nor_asks_for_ever(sim: Sim) -> None:
    sim.breaks("GET", "/compare/", {"status": 202, "body": {}})
    began = time.monotonic()

    with pytest.raises(Unavailable, match="prepares"):
        sim.git_hub.compare("acme/shop", "a" * 40, "b" * 40)

    assert time.monotonic() - began < 2
    assert sum("/compare/" in entry["path"] for entry in sim.journal()) == 1


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_not_followed_with_our_token(sim: Sim, status: int) -> None:
    sim.breaks("GET", "/pulls/1$", {"status": status, "headers": {"Location": "https://elsewhere.example/x"}})

    with pytest.raises(Conflict, match="renamed or moved"):
        sim.git_hub.pull_request("acme/shop", 1)


def limited(status: int, message: str, **headers: str) -> dict[str, Any]:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return {"status": status, "body": {"message": message}, "headers": sent}


SECONDARY = "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."


@pytest.mark.parametrize(
    ("answer", "at_least", "at_most"),
    [
        (limited(403, SECONDARY, retry_after="9"), 9, 9),
        (limited(403, SECONDARY), 60, 60),
        (limited(429, SECONDARY), 60, 60),
        (limited(403, "Forbidden", retry_after="5"), 5, 5),
        (limited(403, "API rate limit exceeded for installation ID 1.", x_ratelimit_remaining="0",
                 x_ratelimit_reset="32503680000"), 3_600, 3_600),
        (limited(403, "API rate limit exceeded", x_ratelimit_remaining="0", x_ratelimit_reset="1"), 0, 0),
        (limited(503, "busy", retry_after="999999999"), 3_600, 3_600),
        (limited(503, "busy", retry_after="Wed, 21 Oct 2015 07:28:00 GMT"), 0, 0),
    ],
    ids=["secondary", "secondary without pause", "secondary as 429", "403 with pause", "primary",
         "primary, reset long ago", "pause without sense", "pause as a date"],
)  # fmt: skip
def test_a_rate_limit_is_waited_for_as_github_asks(
    sim: Sim, answer: dict[str, Any], at_least: int, at_most: int
) -> None:
    sim.breaks("GET", "/pulls/1$", answer)

    with pytest.raises(Unavailable) as caught:
        sim.git_hub.pull_request("acme/shop", 1)

    assert caught.value.retry_after is not None
    assert timedelta(seconds=at_least) <= caught.value.retry_after <= timedelta(seconds=at_most)
    assert caught.value.retry_after <= LONGEST_PAUSE


@pytest.mark.parametrize("wish", ["soon", "-1", "1e9", ""])
def test_a_pause_that_cannot_be_read_is_no_pause(sim: Sim, wish: str) -> None:
    sim.breaks("GET", "/pulls/1$", limited(503, "busy", retry_after=wish))

    with pytest.raises(Unavailable) as caught:
        sim.git_hub.pull_request("acme/shop", 1)

    assert caught.value.retry_after is None


def test_githubs_reason_and_details_reach_the_message(sim: Sim) -> None:
    body = {"message": "Validation Failed", "errors": [{"message": "No commit found"}, "and more"]}
    sim.breaks("GET", "/compare/", {"status": 422, "body": body})

    with pytest.raises(
        Conflict, match=r"422: Validation Failed; No commit found; and more \(GET /repos/acme"
    ):
        sim.git_hub.compare("acme/shop", "a" * 40, "b" * 40)


@pytest.mark.parametrize("body", [{}, [], [{}], "text in quotes", 7], ids=repr)
def test_json_of_another_shape_is_a_bad_reply(sim: Sim, body: Any) -> None:
    sim.opens_pull()
    told = f'"{body}"' if isinstance(body, str) else body
    sim.breaks(
        "GET", r"/(pulls/1|check-runs|compare/.*|runs|rules/branches/main)$", {"status": 200, "body": told}
    )
    code = sim.git_hub

    with pytest.raises(BadReply):
        code.pull_request("acme/shop", 1)
    with pytest.raises(BadReply):
        code.changed_files("acme/shop", 1)
    with pytest.raises(BadReply):
        code.checks("acme/shop", "a" * 40)
    with pytest.raises(BadReply):
        code.compare("acme/shop", "a" * 40, "b" * 40)
    with pytest.raises(BadReply):
        code.deploy_runs("acme/shop", "deploy.yml", "push", "a" * 40)


def test_an_empty_success_is_asked_for_again(sim: Sim) -> None:
    sim.breaks("GET", "/pulls/1$", {"status": 200})

    with pytest.raises(Unavailable):
        sim.git_hub.pull_request("acme/shop", 1)


@pytest.mark.parametrize("value", ["many", "inf"])
def test_a_header_that_is_no_number_is_a_garbled_answer(sim: Sim, value: str) -> None:
    sim.breaks("GET", "/pulls/1$", {"status": 200, "body": {}, "headers": {"X-RateLimit-Reset": value}})

    with pytest.raises(Unavailable, match="garbled"):
        sim.git_hub.pull_request("acme/shop", 1)


def test_a_body_nested_beyond_measure_is_a_garbled_answer(sim: Sim) -> None:
    sim.breaks("GET", "/pulls/1$", {"status": 200, "body": "[" * 100_000})

    with pytest.raises(Unavailable, match="no JSON"):
        sim.git_hub.pull_request("acme/shop", 1)


def test_a_refused_connection_is_unavailable(unreachable_git_hub: Any) -> None:
    with pytest.raises(Unavailable):
        unreachable_git_hub.pull_request("acme/shop", 1)


def test_an_encrypted_address_is_asked_encrypted(sim: Sim) -> None:
    plain_server = sim.origin.replace("http://", "https://")

    with pytest.raises(Unavailable, match="SSL"):
        GitHub(f"{plain_server}/api/v3", "test-token").pull_request("acme/shop", 1)


def test_a_revoked_token_is_denied(sim: Sim, git_hub_with: Any) -> None:
    with pytest.raises(Denied, match="Bad credentials"):
        git_hub_with("bad-token").pull_request("acme/shop", 1)


def test_no_token_is_denied(sim: Sim, git_hub_with: Any) -> None:
    with pytest.raises(Denied):
        git_hub_with("").pull_request("acme/shop", 1)


def test_a_token_read_with_its_line_break_works(sim: Sim, git_hub_with: Any) -> None:
    sim.opens_pull()

    assert git_hub_with("test-token\n").pull_request("acme/shop", 1) is not None


def test_a_commit_of_a_pull_request_is_found_by_its_merge_and_a_pushed_one_by_its_message(sim: Sim) -> None:
    pull = sim.opens_pull()
    sim.git_hub.merge(sim.merge_command(pull))
    merged = sim.reads(pull.number).merge_sha or ""
    pushed = sim.commits("README.md", "more")

    assert sim.git_hub.pull_requests_of("acme/shop", merged) == (pull.number,)
    assert sim.git_hub.pull_requests_of("acme/shop", pushed) == ()
    assert sim.git_hub.commit_message("acme/shop", pushed) == "Someone else"


def test_a_commit_of_an_open_pull_request_has_not_come_by_it(sim: Sim) -> None:
    assert sim.git_hub.pull_requests_of("acme/shop", sim.opens_pull().head_sha) == ()


def test_a_commit_that_is_not_there_has_no_message_and_a_hidden_one_is_no_answer(sim: Sim) -> None:
    assert sim.git_hub.commit_message("acme/shop", "d" * 40) is None
    assert sim.git_hub.pull_requests_of("acme/shop", "d" * 40) == ()
    with pytest.raises(Missing):
        sim.git_hub.commit_message("acme/hidden", "d" * 40)
