"""What `vtid doctor` says of base branches and merge queues: good, bad, or not known."""

import json
from typing import Any

from tests.cli.conftest import FakeApi, Vtid
from vtid.cli.exits import Exit

ENVIRONMENTS = "/api/v1/environments"


def environment(name: str, repository: str = "acme/shop") -> dict[str, str]:
    return {"name": name, "repository": repository, "base_branch": "main"}


def finds(api: FakeApi, name: str, state: str, says: str, about: str = "merge queue") -> None:
    findings = [{"state": state, "says": says, "about": about}]
    api.says("GET", f"{ENVIRONMENTS}/{name}/merge-queue", {"findings": findings})


def rows(vtid: Vtid, api: FakeApi) -> tuple[int, list[dict[str, Any]]]:
    ended = vtid("doctor", "--json", "--api-url", api.url)
    checks = json.loads(ended.out)["checks"]
    return ended.code, [row for row in checks if row["check"] in ("base branch", "merge queue")]


def test_a_check_that_never_comes_fails_and_what_several_share_is_said_once(api: FakeApi, vtid: Vtid) -> None:
    api.says("GET", ENVIRONMENTS, {"items": [environment("dev"), environment("staging")]})
    finds(api, "dev", "fail", "ci never comes for a group")
    finds(api, "staging", "fail", "ci never comes for a group")

    code, said = rows(vtid, api)

    assert code == Exit.FAILED
    says = "acme/shop: ci never comes for a group (dev, staging)"
    assert said == [{"check": "merge queue", "state": "fail", "says": says}]


def test_a_branch_that_lets_changes_past_the_validator_is_a_warning_and_no_failure_of_ours(
    api: FakeApi, vtid: Vtid
) -> None:
    api.says("GET", ENVIRONMENTS, {"items": [environment("dev")]})
    finds(api, "dev", "warn", "main is not protected", about="base branch")

    _, [row] = rows(vtid, api)

    assert row == {"check": "base branch", "state": "warn", "says": "acme/shop: main is not protected (dev)"}


def test_what_could_not_be_asked_is_neither_good_nor_bad(api: FakeApi, vtid: Vtid) -> None:
    items = [environment("dev"), environment("drill", "acme/drill-*")]
    api.says("GET", ENVIRONMENTS, {"items": items})
    api.refuses("GET", f"{ENVIRONMENTS}/dev/merge-queue", 502, "GITHUB_DENIED", "Bad credentials")

    _, said = rows(vtid, api)

    assert [row["state"] for row in said] == ["unknown", "unknown"]
    assert "Bad credentials" in said[0]["says"]
    assert "acme/drill-*" in said[1]["says"]


def test_an_api_that_tells_no_environments_leaves_it_unknown(api: FakeApi, vtid: Vtid) -> None:
    api.refuses("GET", ENVIRONMENTS, 401, "UNAUTHENTICATED", "no valid credentials")

    _, [row] = rows(vtid, api)

    assert row["state"] == "unknown"
    assert "no valid credentials" in row["says"]
