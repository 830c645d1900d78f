"""`vtid env`: exit 5 on any difference, and flags that a shell takes as they were declared."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import FakeApi, Vtid
from vtid.cli.exits import Exit

SHA = "a" * 40
NASTY = 'it\'s "50%", $HOME `x` \\ and ; rm -rf'
DECLARED = f"""
staging:
  project: acme-staging
  region: europe-west1
  repository: acme/shop
  services:
    shop:
      cloud_run: shop
      env: {{MODE: strict, MESSAGE: {json.dumps(NASTY)}}}
      secrets: {{TOKEN: "shop-token:2"}}
      required_env: [DATABASE_NAME]
      required_secrets: [API_KEY]
    mail:
      cloud_run: mail-{{repository_name}}
      env: {{LANGUAGES: "de,en"}}
mixed:
  project: acme-staging
  region: europe-west1
  repository: acme/shop
  services:
    shop: {{cloud_run: shop}}
    pages: {{host: http_version, url: "https://pages.test"}}
"""


@pytest.fixture
def declared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, vtid: Vtid) -> Path:
    file = tmp_path / "environments.yaml"
    file.write_text(DECLARED)
    monkeypatch.setenv("VTID_ENVIRONMENTS", str(file))
    for name in ("GITHUB_SHA", "DATABASE_NAME"):
        monkeypatch.delenv(name, raising=False)
    return file


def in_a_shell(flags: str, **env: str) -> subprocess.CompletedProcess[str]:
    """The words that `gcloud run deploy …` would get."""
    program = f"printf '%s\\n' {flags}"
    given = {"PATH": os.environ["PATH"], **env}
    return subprocess.run(["sh", "-c", program], capture_output=True, text=True, env=given, check=False)


def words(flags: str, **env: str) -> dict[str, str]:
    done = in_a_shell(flags, **env)
    assert done.returncode == 0, done.stderr
    return {name: value for name, _, value in (line.partition("=") for line in done.stdout.splitlines())}


def pairs(value: str) -> dict[str, str]:
    """As gcloud reads a list of pairs."""
    delimiter = ","
    if value.startswith("^"):
        _, delimiter, value = value.split("^", 2)
    return dict(each.split("=", 1) for each in value.split(delimiter))


def test_a_shell_gets_exactly_what_is_declared(declared: Path, vtid: Vtid) -> None:
    ended = vtid("env", "render", "staging", "--service", "shop")

    flags = words(ended.out.strip(), GITHUB_SHA=SHA, DATABASE_NAME="the shop's, own")
    assert flags["--project"] == "acme-staging"
    assert flags["--region"] == "europe-west1"
    assert flags["--update-labels"] == f"commit-sha={SHA}"
    assert pairs(flags["--set-secrets"]) == {"TOKEN": "shop-token:2", "API_KEY": "API_KEY:latest"}
    assert pairs(flags["--set-env-vars"]) == {
        "GIT_COMMIT_SHA": SHA,
        "DATABASE_NAME": "the shop's, own",
        "MODE": "strict",
        "MESSAGE": NASTY,
    }


def test_a_value_that_is_not_there_stops_the_shell(declared: Path, vtid: Vtid) -> None:
    ended = vtid("env", "render", "staging", "--service", "shop", "--sha", SHA)

    assert in_a_shell(ended.out.strip()).returncode != 0
    assert "DATABASE_NAME" in in_a_shell(ended.out.strip()).stderr


def test_several_services_are_told_apart(declared: Path, vtid: Vtid) -> None:
    lines = vtid("env", "render", "staging", "--sha", SHA).out.splitlines()

    assert lines[0::2] == ["# shop", "# mail-shop"]
    assert "--clear-secrets" in lines[3]
    assert pairs(words(lines[3])["--set-env-vars"]) == {"GIT_COMMIT_SHA": SHA, "LANGUAGES": "de,en"}


def test_github_actions_gets_outputs(declared: Path, vtid: Vtid, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_SHA", SHA)
    monkeypatch.setenv("DATABASE_NAME", "a,b")

    ended = vtid("env", "render", "staging", "--service", "shop", "--format", "github")

    assert ended.err == ""
    lines = ended.out.splitlines()
    assert {"project_id=acme-staging", "service=shop", f"labels=commit-sha={SHA}"} <= set(lines)
    assert "DATABASE_NAME=a\\,b" in lines
    assert lines[lines.index("secrets<<END") + 1 :][:3] == [
        "API_KEY=API_KEY:latest",
        "TOKEN=shop-token:2",
        "END",
    ]


def test_github_actions_is_told_what_it_did_not_give(declared: Path, vtid: Vtid) -> None:
    ended = vtid("env", "render", "staging", "--service", "shop", "--format", "github", "--sha", SHA)

    assert ended.code == Exit.OK
    assert "DATABASE_NAME left out" in ended.err
    assert "DATABASE_NAME" not in ended.out


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("nope",), Exit.NOT_FOUND, "declared are staging, mixed"),
        (("staging", "--service", "web"), Exit.NOT_FOUND, "declared are shop, mail"),
        (("staging", "--sha", "main"), Exit.USAGE, "40 hexadecimal digits"),
        (("staging", "--repository", "acme/other"), Exit.USAGE, "acme/shop"),
        (("staging", "--format", "terraform"), Exit.USAGE, "gcloud"),
        (("mixed", "--service", "pages"), Exit.USAGE, "pages (http_version): nothing is declared"),
    ],
)
def test_what_cannot_be_rendered_is_told_with_what_is_allowed(
    declared: Path, vtid: Vtid, arguments: tuple[str, ...], code: Exit, says: str
) -> None:
    ended = vtid("env", "render", *arguments)

    assert ended.code == code
    assert says in ended.err
    assert ended.out == ""


def test_a_service_without_anything_to_render_is_left_out_and_named(declared: Path, vtid: Vtid) -> None:
    ended = vtid("env", "render", "mixed", "--sha", SHA)

    assert len(ended.out.splitlines()) == 1
    assert "left out, since nothing is declared for flags: pages (http_version)" in ended.err


REPORT: dict[str, Any] = {
    "environment": "staging",
    "project": "acme-staging",
    "region": "europe-west1",
    "equal": True,
    "services": [
        {"service": "shop", "url": "https://shop.test", "revisions": ["shop-1"], "drift": []},
    ],
    "drift": [],
}
DRIFT = {
    "service": "shop", "kind": "different", "name": "MODE", "says": "MODE has another value than declared",
    "expected": "strict", "actual": "loose", "revisions": ["shop-1"],
}  # fmt: skip
PATH = "/api/v1/environments/staging/drift"


def test_no_difference_ends_well(api: FakeApi, vtid: Vtid) -> None:
    api.says("GET", PATH, REPORT)

    ended = vtid("env", "check", "staging", "--api-url", api.url)

    assert ended.code == Exit.OK
    assert ended.out.splitlines() == [
        "shop: shop-1 at https://shop.test",
        "staging (acme-staging, europe-west1) is as declared",
    ]


def test_a_difference_ends_with_five_in_words_and_in_json(api: FakeApi, vtid: Vtid) -> None:
    services = [REPORT["services"][0] | {"drift": [DRIFT]}]
    report = REPORT | {"equal": False, "services": services, "drift": [DRIFT]}
    api.says("GET", PATH, report)

    told = vtid("env", "check", "staging", "--api-url", api.url)
    as_json = vtid("env", "check", "staging", "--api-url", api.url, "--json")

    assert (told.code, as_json.code) == (Exit.BLOCKED, Exit.BLOCKED)
    assert "different: MODE has another value than declared: declared 'strict', runs 'loose'" in told.out
    assert json.loads(as_json.out) == report


def test_what_cannot_be_compared_is_said(api: FakeApi, vtid: Vtid) -> None:
    unseen = {"unseen": "http_version shows no variables and no secrets", "commit": SHA, "revisions": []}
    services = [REPORT["services"][0] | unseen]
    api.says("GET", PATH, REPORT | {"project": "", "region": "", "services": services})

    ended = vtid("env", "check", "staging", "--api-url", api.url)

    assert ended.out.splitlines() == [
        f"shop: answers {SHA} at https://shop.test",
        "  not compared: http_version shows no variables and no secrets",
        "staging is as declared, as far as it can be seen",
    ]


def test_a_service_that_is_not_there_is_told_in_a_whole_sentence(api: FakeApi, vtid: Vtid) -> None:
    missing: dict[str, Any] = {
        "service": "shop",
        "kind": "service_missing",
        "name": "shop",
        "expected": None,
        "actual": None,
    }
    missing |= {"says": "there is no service shop", "revisions": []}
    service = {"service": "shop", "url": None, "revisions": [], "drift": [missing]}
    api.says("GET", PATH, REPORT | {"equal": False, "services": [service], "drift": [missing]})

    ended = vtid("env", "check", "staging", "--api-url", api.url)

    assert ended.code == Exit.BLOCKED
    assert ended.out.splitlines()[0] == "shop: nothing serves"
