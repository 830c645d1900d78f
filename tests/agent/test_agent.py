"""What the agent does around a command: the whole way of an order, and every way in which it can end early."""

import os
import signal
from pathlib import Path

import httpx
import pytest

from .conftest import BRANCH, SHOP, SPEC, Desk, Hire, git, until

WORKS = "cat > spec.md; echo 'cents' >> services/shop/main.py"


def pulls(github: str) -> list[dict[str, object]]:
    answer = httpx.get(
        f"{github}/api/v3/repos/{SHOP}/pulls", params={"state": "all"}, headers={"Authorization": "Bearer t"}
    )
    found: list[dict[str, object]] = answer.json()
    return found


def test_an_order_becomes_a_real_commit_a_pull_request_and_evidence(
    hire: Hire, desk: Desk, bare: Path, github: str
) -> None:
    agent = hire(f"{WORKS}; echo 'Prices are whole cents.' > $WORK_SUMMARY_FILE", "--once")

    code, err = agent.ends()

    assert code == 0, err
    assert desk.verbs() == ["claim", "evidence"]
    (evidence,) = desk.bodies("evidence")
    assert evidence["head_sha"] == git(bare, "rev-parse", BRANCH)
    assert git(bare, "show", f"{BRANCH}:spec.md") == SPEC.strip()
    assert sorted(evidence["files"]) == ["services/shop/main.py", "spec.md"]
    (pull,) = pulls(github)
    assert pull["html_url"] == evidence["pr_url"]
    assert pull["title"] == "VTID-0001: Round prices"
    assert "Prices are whole cents." in str(pull["body"])
    assert "VTID-0001" in str(pull["body"])
    assert agent.left() == []
    assert git(bare, "branch", "--list", "--format=%(refname:short)").split() == [BRANCH, "main"]


def test_commits_of_the_command_stay_as_they_are_and_what_is_left_is_added(
    hire: Hire, desk: Desk, bare: Path
) -> None:
    agent = hire(
        "echo 1 > one && git add one && git -c user.name=m -c user.email=m@x commit -qm 'by the command' && echo 2 > two",
        "--once",
    )

    code, err = agent.ends()

    assert code == 0, err
    assert git(bare, "log", "--format=%s", f"main..{BRANCH}").splitlines() == [
        "VTID-0001: Round prices",
        "by the command",
    ]


def test_the_command_is_told_its_order_and_none_of_our_secrets(hire: Hire, desk: Desk, bare: Path) -> None:
    desk.order = {"note": "the attempt before fell silent", "attempt": 3}

    code, err = hire("env > environment", "--once").ends()

    assert code == 0, err
    told = git(bare, "show", f"{BRANCH}:environment")
    for line in ("VTID=VTID-0001", "WORK_ATTEMPT=3", f"WORK_BRANCH={BRANCH}", "WORK_BASE=main", "WORK_KIND=build",
                 "WORK_NOTE=the attempt before fell silent"):  # fmt: skip
        assert line in told.splitlines()
    for secret in ("the-api-token", "the-github-token", "the-lease-token"):
        assert secret not in told


def test_progress_is_what_the_command_says_and_heartbeats_go_on_without_it(hire: Hire, desk: Desk) -> None:
    agent = hire("echo 'reading the spec' >> $WORK_PROGRESS_FILE; sleep 2; echo x > x", "--once")

    code, err = agent.ends()

    assert code == 0, err
    beats = desk.bodies("heartbeat")
    steps = [beat["progress"]["step"] for beat in beats if "step" in (beat.get("progress") or {})]
    assert steps == ["reading the spec"]
    assert sum("progress" not in beat for beat in beats) >= 3  # the command hung, and its worker lived


def test_a_command_that_fails_is_reported_with_the_end_of_its_output_and_no_secret(
    hire: Hire, desk: Desk, bare: Path
) -> None:
    token = "ghp_" + "a" * 36
    agent = hire(
        f"echo begin; echo {token} $MY_PASSWORD; echo 'cannot compile' >&2; exit 3",
        "--once",
        MY_PASSWORD="hunter2hunter2",
    )

    code, _ = agent.ends()

    assert (code, desk.verbs()) == (1, ["claim", "fail"])
    (failure,) = desk.bodies("fail")
    assert "exit code 3" in failure["message"]
    assert "cannot compile" in failure["message"]
    assert token not in failure["message"]
    assert "hunter2" not in failure["message"]
    assert failure["retryable"] is True
    assert git(bare, "branch", "--list", BRANCH) == ""
    assert agent.left() == []


def test_a_command_that_changes_nothing_has_failed(hire: Hire, desk: Desk, bare: Path) -> None:
    code, _ = hire("true", "--once").ends()

    assert code == 1
    assert "changed nothing" in desk.bodies("fail")[0]["message"]


def test_without_work_it_says_so_by_its_exit_code(hire: Hire, desk: Desk) -> None:
    desk.orders = 0

    code, _ = hire("true", "--once").ends()

    assert code == 6


def test_stop_ends_the_whole_process_group_and_is_confirmed_and_nothing_is_pushed(
    hire: Hire, desk: Desk, bare: Path, tmp_path: Path
) -> None:
    """The command ignores SIGTERM, and so does its child."""
    pids = tmp_path / "pids"
    agent = hire(
        f"trap '' TERM; (trap '' TERM; sleep 600) & echo $$ $! > {pids}; echo x > x; wait; sleep 600",
        "--once",
        "--grace",
        "0.3",
    )
    until(lambda: pids.exists() and len(pids.read_text().split()) == 2, "the command")

    desk.action = "stop"
    code, _ = agent.ends()

    assert (code, desk.verbs()) == (5, ["claim", "release"])
    assert desk.bodies("release")[0]["reason"] == "cancelled by ann"
    for pid in pids.read_text().split():
        until(lambda pid=pid: not alive(int(pid)), f"process {pid} to be gone")  # type: ignore[misc]
    assert git(bare, "branch", "--list", BRANCH) == ""
    assert agent.left() == []


def test_a_lost_lease_ends_the_command_and_nothing_is_pushed_or_said_after_it(
    hire: Hire, desk: Desk, bare: Path
) -> None:
    agent = hire("echo x > x; sleep 600", "--once")
    desk.hears("heartbeat")

    desk.refuses["heartbeat"] = 409
    code, _ = agent.ends()

    assert (code, desk.verbs()) == (3, ["claim"])
    assert git(bare, "branch", "--list", BRANCH) == ""
    assert agent.left() == []


def test_a_lease_that_is_lost_while_the_command_ends_pushes_nothing(
    hire: Hire, desk: Desk, bare: Path
) -> None:
    """The heartbeat right before the push is the one that hears of it."""
    desk.order = {"deadlines": {"heartbeat_seconds": 600, "lost_seconds": 600, "cap_seconds": 600}}
    agent = hire("echo x > x; sleep 1", "--once")
    desk.hears("heartbeat")

    desk.refuses["heartbeat"] = 409
    code, _ = agent.ends()

    assert (code, desk.verbs()) == (3, ["claim"])
    assert git(bare, "branch", "--list", BRANCH) == ""


def test_an_api_that_is_away_for_a_while_does_not_end_the_work(hire: Hire, desk: Desk) -> None:
    agent = hire("echo x > x; sleep 1.5", "--once")
    desk.hears("heartbeat")

    desk.refuses["heartbeat"] = 503
    until(lambda: len(desk.bodies("heartbeat")) >= 4, "heartbeats that nobody answers")
    desk.refuses.clear()
    code, err = agent.ends()

    assert (code, desk.verbs()) == (0, ["claim", "evidence"]), err


def test_an_api_that_stays_away_costs_the_lease(hire: Hire, desk: Desk, bare: Path) -> None:
    agent = hire("echo x > x; sleep 600", "--once")
    desk.hears("heartbeat")

    desk.refuses["heartbeat"] = 503
    code, err = agent.ends()

    assert code == 3
    assert "no heartbeat was answered for 2 s" in err
    assert git(bare, "branch", "--list", BRANCH) == ""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_an_agent_that_is_stopped_gives_its_order_back_and_leaves_nothing(
    hire: Hire, desk: Desk, bare: Path, number: signal.Signals, tmp_path: Path
) -> None:
    pid = tmp_path / "pid"
    agent = hire(f"echo $$ > {pid}; echo x > x; sleep 600")
    until(lambda: pid.exists() and pid.read_text().strip(), "the command")

    agent.process.send_signal(number)
    code, _ = agent.ends()

    assert (code, desk.bodies("release")[0]["reason"]) == (0, "the agent was stopped")
    assert not alive(int(pid.read_text()))
    assert agent.left() == []


def test_what_a_killed_agent_leaves_is_removed_by_the_next_one(
    hire: Hire, desk: Desk, bare: Path, tmp_path: Path
) -> None:
    pid = tmp_path / "pid"
    killed = hire(f"sleep 600 & echo $! > {pid}; echo half > half; wait")
    until(lambda: pid.exists() and pid.read_text().strip(), "the command")
    killed.process.kill()
    killed.ends()
    assert killed.left() != []

    desk.orders = 1
    code, err = hire(WORKS, "--once").ends()

    assert (code, killed.left()) == (0, []), err
    until(lambda: not alive(int(pid.read_text())), "what the killed agent's command had started to be gone")
    assert "half" not in git(bare, "ls-tree", "--name-only", BRANCH)


def test_a_repair_order_goes_on_with_the_branch_and_its_pull_request(
    hire: Hire, desk: Desk, bare: Path, github: str
) -> None:
    hire("echo broken > services/shop/new.py", "--once").ends()
    (first,) = desk.bodies("evidence")
    desk.orders = 1
    desk.order = {
        "attempt": 2, "kind": "repair", "round": 1, "pr_url": first["pr_url"],
        "findings": [{"rule": "VAL-RULE-010", "name": "ci", "says": "failure", "url": "https://ci/1", "log": "line 1 is broken"}],
    }  # fmt: skip

    code, err = hire(
        "cat > prompt; test -f services/shop/new.py && echo mended > services/shop/new.py", "--once"
    ).ends()

    assert code == 0, err
    second = desk.bodies("evidence")[-1]
    assert second["pr_url"] == first["pr_url"]
    assert second["head_sha"] == git(bare, "rev-parse", BRANCH) != first["head_sha"]
    prompt = git(bare, "show", f"{BRANCH}:prompt")
    assert prompt.startswith(SPEC.strip())
    assert "line 1 is broken" in prompt
    assert len(pulls(github)) == 1


def test_a_local_clone_is_worked_from_and_left_as_it_was(
    hire: Hire, desk: Desk, bare: Path, tmp_path: Path
) -> None:
    git(tmp_path, "clone", "--quiet", str(bare), "mine")
    mine = tmp_path / "mine"
    (mine / "notes").write_text("uncommitted")

    code, err = hire(WORKS, "--once", "--repository-dir", str(mine)).ends()

    assert code == 0, err
    assert git(mine, "status", "--porcelain") == "?? notes"
    assert git(mine, "branch", "--format=%(refname:short)") == "main"
    assert len(git(mine, "worktree", "list").splitlines()) == 1


def test_several_orders_are_worked_at_a_time_by_workers_of_their_own(hire: Hire, desk: Desk) -> None:
    desk.orders = 1  # the second place finds nothing

    code, err = hire(WORKS, "--once", "--concurrency", "2").ends()

    assert code == 0, err
    claims = {body["worker_id"] for body in desk.bodies("claim")}
    assert {each.rpartition("-")[2] for each in claims} == {"1", "2"}


def test_two_agents_of_one_name_are_refused(hire: Hire, desk: Desk) -> None:
    first = hire("sleep 600", "--worker-id", "me")
    desk.hears("heartbeat")

    code, err = hire("true", "--once", "--worker-id", "me").ends()

    assert (code, "another --worker-id" in err) == (3, True)
    assert first.process.poll() is None


def test_a_key_that_is_refused_ends_it_at_once(hire: Hire, desk: Desk) -> None:
    desk.refuses["claim"] = 401

    code, err = hire("true").ends()

    assert (code, "UNAUTHENTICATED" in err) == (8, True)


def alive(pid: int) -> bool:
    """Running, and not only waiting to be buried."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
        return stat.read().rpartition(")")[2].split()[0] != "Z"
