"""What a red check says, read from GitHub: its output and the end of its job's log."""

from typing import Any

import pytest

from tests.adapters.conftest import Sim
from vtid.domain.change import Check, CheckState
from vtid.domain.errors import Denied, Missing, Unavailable

LOGS = "/actions/jobs/[0-9]+/logs$"
STORE = "^/_logs/"


@pytest.fixture
def red(sim: Sim) -> Check:
    sim.behaves(checks={"after_s": 0, "fails_on": "FIXME"})
    pull = sim.opens_pull(files=[{"path": "services/shop/main.py", "content": "x = 1  # FIXME\n"}])
    (check,) = sim.git_hub.checks("acme/shop", pull.head_sha)
    assert check.state is CheckState.RED
    return check


def test_the_log_of_a_job_ends_with_why_it_failed(sim: Sim, red: Check) -> None:
    said = sim.git_hub.check_log("acme/shop", red)

    assert "FAILED services/shop/main.py: holds 'FIXME'" in said
    assert said.endswith("exit code 2.")
    assert "T" not in said.splitlines()[-1][:5]  # the time before each line is gone


def test_a_log_is_cut_to_its_end(sim: Sim, red: Check) -> None:
    long = "".join(f"line {n}\n" for n in range(100_000))
    sim.breaks("GET", STORE, {"status": 200, "body": long})

    said = sim.git_hub.check_log("acme/shop", red)

    assert len(said) <= 2_001
    assert said.endswith("line 99999")


def test_a_secret_in_a_log_is_masked(sim: Sim, red: Check) -> None:
    token = "ghp_" + "a" * 36
    sim.breaks("GET", STORE, {"status": 200, "body": f"pushed with {token}"})

    said = sim.git_hub.check_log("acme/shop", red)

    assert token not in said
    assert "[GitHub token masked]" in said


def test_our_credentials_do_not_go_where_the_log_lies(sim: Sim, red: Check) -> None:
    """The store refuses a call that has them, so an answer is the proof."""
    assert sim.git_hub.check_log("acme/shop", red)


def test_a_log_that_github_keeps_no_more_is_missing(sim: Sim, red: Check) -> None:
    sim.breaks("GET", LOGS, {"status": 410, "body": {"message": "gone"}})

    with pytest.raises(Missing):
        sim.git_hub.check_log("acme/shop", red)


def test_a_log_that_we_may_not_read_is_denied(sim: Sim, red: Check) -> None:
    sim.breaks("GET", LOGS, {"status": 403, "body": {"message": "Resource not accessible by integration"}})

    with pytest.raises(Denied):
        sim.git_hub.check_log("acme/shop", red)


@pytest.mark.parametrize("action", [{"status": 502}, {"reset": True}])
@pytest.mark.parametrize("place", [LOGS, STORE])
def test_a_log_that_cannot_be_asked_for_now_is_unavailable(
    sim: Sim, red: Check, place: str, action: dict[str, Any]
) -> None:
    sim.breaks("GET", place, action)

    with pytest.raises(Unavailable):
        sim.git_hub.check_log("acme/shop", red)


def test_a_commit_status_has_no_log(sim: Sim) -> None:
    pull = sim.opens_pull()
    sim.reports_status(pull.head_sha, "failure", "lint")
    status = next(each for each in sim.git_hub.checks("acme/shop", pull.head_sha) if each.name == "lint")

    assert sim.git_hub.check_log("acme/shop", status) == ""
