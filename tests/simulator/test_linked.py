"""A repository whose history is a real git repository: facts come from git, and merges go there."""

import os
import subprocess
from pathlib import Path

import pytest

from .conftest import SHOP, Sim

PEOPLE = {
    f"GIT_{role}_{what}": "ann@example.invalid"
    for role in ("AUTHOR", "COMMITTER")
    for what in ("NAME", "EMAIL")
}


def git(directory: Path, *arguments: str) -> str:
    env = os.environ | PEOPLE | {"GIT_CONFIG_GLOBAL": os.devnull}
    return subprocess.run(
        ["git", "-C", str(directory), *arguments], check=True, capture_output=True, text=True, env=env
    ).stdout.strip()


@pytest.fixture
def bare(sim: Sim, tmp_path: Path) -> Path:
    """The shop's repository on disk, linked."""
    directory = tmp_path / "shop.git"
    sim.told("POST", "/repos", full_name=SHOP, default_branch="main", git_dir=str(directory))
    sim.told("PUT", "/behaviour", checks={"after_s": 0.05}, deploy={"after_s": 0.05}, reconcile_s=0.05)
    return directory


def pushed(bare: Path, tmp_path: Path, branch: str, files: dict[str, bytes]) -> str:
    """Commit and push these files with git itself. Gives the commit."""
    clone = tmp_path / "clone"
    if not clone.exists():
        git(tmp_path, "clone", "--quiet", str(bare), "clone")
    git(clone, "checkout", "--quiet", "-B", branch, "origin/main")
    for path, content in files.items():
        (clone / path).parent.mkdir(parents=True, exist_ok=True)
        (clone / path).write_bytes(content)
    git(clone, "add", "--all")
    git(clone, "commit", "--quiet", "-m", "VTID-0001: work")
    git(clone, "push", "--quiet", "--force", "origin", branch)
    return git(clone, "rev-parse", "HEAD")


def test_a_pull_request_for_a_pushed_branch_has_the_commit_and_the_files_of_git(
    sim: Sim, bare: Path, tmp_path: Path
) -> None:
    head = pushed(
        bare, tmp_path, "claude/vtid-0001-a", {"a.txt": b"one\ntwo\n", "logo.png": b"\x89PNG\x00\xff"}
    )

    opened = sim.github(
        f"/repos/{SHOP}/pulls", "POST", head="claude/vtid-0001-a", base="main", title="VTID-0001: x"
    ).json()
    files = sim.github(f"/repos/{SHOP}/pulls/{opened['number']}/files").json()

    assert opened["head"]["sha"] == head
    assert {each["filename"]: each["additions"] for each in files} == {"a.txt": 2, "logo.png": 0}
    assert files[0]["sha"] == git(bare, "rev-parse", f"{head}:a.txt")


def test_the_checks_of_a_pushed_commit_run(sim: Sim, bare: Path, tmp_path: Path) -> None:
    pushed(bare, tmp_path, "claude/vtid-0001-a", {"a.txt": b"one\n"})
    opened = sim.github(
        f"/repos/{SHOP}/pulls", "POST", head="claude/vtid-0001-a", base="main", title="x"
    ).json()

    moved = pushed(bare, tmp_path, "claude/vtid-0001-a", {"a.txt": b"two\n"})
    pull = sim.github(f"/repos/{SHOP}/pulls/{opened['number']}").json()
    checks = sim.github(f"/repos/{SHOP}/commits/{moved}/check-runs").json()

    assert pull["head"]["sha"] == moved
    assert [each["name"] for each in checks["check_runs"]] == ["ci"]


@pytest.mark.parametrize(("method", "parents"), [("squash", 1), ("merge", 2)])
def test_a_merge_is_a_real_commit_with_every_byte_and_mode(
    sim: Sim, bare: Path, tmp_path: Path, method: str, parents: int
) -> None:
    clone = tmp_path / "clone"
    head = pushed(
        bare, tmp_path, "claude/vtid-0001-a", {"run.sh": b"#!/bin/sh\n", "logo.png": b"\x89PNG\x00\xff"}
    )
    git(clone, "update-index", "--chmod=+x", "run.sh")
    git(clone, "commit", "--quiet", "--amend", "--no-edit")
    git(clone, "push", "--quiet", "--force", "origin", "claude/vtid-0001-a")
    head = git(clone, "rev-parse", "HEAD")
    opened = sim.github(
        f"/repos/{SHOP}/pulls", "POST", head="claude/vtid-0001-a", base="main", title="x"
    ).json()

    merged = sim.github(
        f"/repos/{SHOP}/pulls/{opened['number']}/merge", "PUT", sha=head, merge_method=method
    ).json()

    assert git(bare, "rev-parse", "main") == merged["sha"]
    assert len(git(bare, "rev-list", "--parents", "-1", "main").split()) - 1 == parents
    assert git(bare, "rev-parse", "main^{tree}") == git(bare, "rev-parse", f"{head}^{{tree}}")
    git(bare, "fsck", "--strict")


def test_a_repository_on_disk_keeps_its_own_past(sim: Sim, bare: Path, tmp_path: Path) -> None:
    sha = pushed(bare, tmp_path, "main", {"b.txt": b"b\n"})
    sim.told("POST", "/reset")

    again = sim.told("POST", "/repos", full_name=SHOP, git_dir=str(bare))

    assert again["head_sha"] == sha


def test_what_cannot_be_linked_is_refused_with_the_reason(sim: Sim, bare: Path, tmp_path: Path) -> None:
    (tmp_path / "plain").mkdir()
    sim.told("POST", "/repos", full_name="acme/other")
    sim.told("POST", "/pulls", repository="acme/other", head="x", base="main", title="x", files=[])

    answers = [
        sim.http.post("/_sim/repos", json={"full_name": "acme/new", "git_dir": str(tmp_path / "plain")}),
        sim.http.post("/_sim/repos", json={"full_name": SHOP, "git_dir": str(tmp_path / "elsewhere.git")}),
        sim.http.post(
            "/_sim/repos", json={"full_name": "acme/other", "git_dir": str(tmp_path / "other.git")}
        ),
    ]

    assert [each.status_code for each in answers] == [422, 409, 409]
    assert "no bare git repository" in answers[0].json()["detail"]
    assert "linked" in answers[1].json()["detail"]
    assert "pull requests" in answers[2].json()["detail"]
