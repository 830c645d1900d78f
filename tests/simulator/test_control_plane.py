"""The contract of /_sim, and that a misspelt wish is refused by name."""

from typing import Any

import pytest

from vtid.simulator.assumptions import ASSUMPTIONS

from .conftest import SHOP, Sim

WRONG: list[tuple[str, str, dict[str, Any], str]] = [
    ("POST", "/repos", {"full_name": "shop"}, "full_name"),
    ("POST", "/pulls", {"repository": SHOP, "head": "h", "base": "main", "titel": "x"}, "titel"),
    ("POST", "/checks", {"repository": SHOP, "sha": "x", "name": "ci", "status": "done"}, "status"),
    ("PUT", "/behaviour", {"deploy": {"after": 1}}, "deploy.after"),
    ("PUT", "/behaviour", {"deploy": {"serves": "HEAD"}}, "deploy.serves"),
    ("PUT", "/behaviour", {"deploy": {"percent": 101}}, "deploy.percent"),
    ("PUT", "/services/shop", {"project": "p", "region": "r", "revisions": []}, "revisions"),
    ("POST", "/faults", {"match": {"path_regex": "("}, "action": {}}, "match.path_regex"),
    ("POST", "/faults", {"match": {"path_regex": "x"}, "action": {"explode": True}}, "action.explode"),
]


@pytest.mark.parametrize(("method", "path", "body", "field"), WRONG)
def test_a_wrong_wish_is_refused_by_name(
    sim: Sim, method: str, path: str, body: dict[str, Any], field: str
) -> None:
    refused = sim.http.request(method, f"/_sim{path}", json=body)

    assert refused.status_code == 422
    assert field in str(refused.json()["detail"])


def test_unknown_things_are_404_and_say_what_there_is(sim: Sim) -> None:
    sim.shop()
    files: list[Any] = []
    missing = sim.http.post("/_sim/pulls/7/push", json={"repository": SHOP, "files": files})
    elsewhere = sim.http.post("/_sim/pulls/7/push", json={"repository": "acme/other", "files": files})

    assert (missing.status_code, elsewhere.status_code) == (404, 404)
    assert SHOP in elsewhere.json()["detail"]


def test_behaviour_is_told_key_by_key_and_per_repository(sim: Sim) -> None:
    sim.shop()
    sim.behave(deploy={"after_s": 7})
    now = sim.told("PUT", "/behaviour", repository=SHOP, deploy={"percent": 10})
    other = sim.told("PUT", "/behaviour", repository="acme/other", checks={"auto": False})

    assert (now["deploy"]["after_s"], now["deploy"]["percent"]) == (7, 10)
    assert (other["deploy"]["percent"], other["checks"]["auto"]) == (100, False)


def test_defaults_are_those_of_the_contract(sim: Sim) -> None:
    now = sim.told("PUT", "/behaviour")

    told = {"auto": True, "names": ["ci"], "after_s": 1.0, "conclusion": "success"}
    assert now["checks"] == told | {"fails_on": None}
    assert (now["deploy"]["after_s"], now["deploy"]["serves"], now["webhooks"]) == (2.0, "head", None)


def test_a_repository_is_made_once(sim: Sim) -> None:
    first = sim.told("POST", "/repos", full_name=SHOP)
    sim.pull()

    assert sim.told("POST", "/repos", full_name=SHOP, default_branch="main") == first
    assert sim.told("GET", "/state")["repositories"][SHOP]["pulls"][0]["number"] == 1


def test_reset_leaves_nothing(sim: Sim) -> None:
    sim.shop()
    sim.merge(sim.pull())
    sim.told("POST", "/reset")

    nothing: dict[str, object] = {
        "repositories": {},
        "services": {},
        "id_tokens": {},
        "faults": [],
        "behaviour": {},
    }
    assert sim.told("GET", "/state") == nothing
    assert sim.http.get("/_sim/journal").json() == []


def test_the_journal_goes_on_from_where_the_reader_was(sim: Sim) -> None:
    sim.shop()
    seen = sim.http.get("/_sim/journal").json()[-1]["n"]
    sim.merge(sim.pull())

    entries = sim.http.get("/_sim/journal", params={"since": seen}).json()

    assert [it["effect"] for it in entries] == ["pull", "merge"]
    assert {it["repository"] for it in entries} == {SHOP}
    assert {"n", "at", "method", "path", "effect"} <= entries[0].keys()


def test_secrets_and_env_may_be_told_in_every_way(sim: Sim) -> None:
    told = {"DB_URL": {"secret": "db", "version": "3"}, "KEY": "key:latest"}
    first = {"name": "a", "ready": True, "digest": "sha256:1", "env": {"MODE": "x"}, "secrets": told}
    second = {"name": "b", "ready": False, "digest": "sha256:2", "env": ["MODE"], "secrets": ["DB_URL"]}
    sim.shop(revisions=[first, second], traffic=[{"revision": "a", "percent": 100}])

    shown = {
        name: {
            it["name"]: it.get("valueSource", {}).get("secretKeyRef", it.get("value"))
            for it in sim.cloud_run(f"/services/shop/revisions/{name}")["containers"][0]["env"]
        }
        for name in ("a", "b")
    }

    assert shown["a"]["DB_URL"] == {"secret": "db", "version": "3"}
    assert shown["b"]["DB_URL"] == {"secret": "db-url", "version": "latest"}
    assert sim.cloud_run()["terminalCondition"]["state"] == "CONDITION_FAILED"


def test_pages_behind_the_links_exist(sim: Sim) -> None:
    sim.shop()
    pull = sim.pull(title="VTID-0001: <b>x</b>")
    sha = sim.merge(pull).json()["sha"]
    run = sim.github(f"/repos/{SHOP}/actions/runs").json()["workflow_runs"][0]

    for url in (pull["html_url"], run["html_url"], f"/{SHOP}", f"/{SHOP}/commit/{sha}", "/"):
        page = sim.http.get(url)
        assert page.status_code == 200
        assert "<b>x</b>" not in page.text


def test_a_branch_has_one_open_pull_request_and_is_made_anew_after_it(sim: Sim) -> None:
    sim.shop()
    first = sim.pull()
    wish = {"repository": SHOP, "head": "claude/vtid-0001-a", "base": "main", "title": "x"}
    again = sim.http.post("/_sim/pulls", json=wish)
    assert (again.status_code, again.json()["number"]) == (422, first["number"])

    sim.merge(first, merge_method="squash")
    files = [{"path": "services/shop/other.py", "content": "1"}]
    second = sim.pull(files=files)
    shown = sim.github(f"/repos/{SHOP}/pulls/{second['number']}/files").json()
    assert [it["filename"] for it in shown] == ["services/shop/other.py"]


def test_every_assumption_has_a_name_of_its_own_and_a_source() -> None:
    assert len({it.name for it in ASSUMPTIONS}) == len(ASSUMPTIONS)
    assert all(it.what and it.source for it in ASSUMPTIONS)
