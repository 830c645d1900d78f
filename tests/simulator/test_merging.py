"""When GitHub merges, when it refuses, and with which words."""

from .conftest import SHOP, Sim

OTHER_MAIN = [{"path": "services/shop/new.py", "content": "NAME = 'somebody else'\n"}]


def test_a_moved_head_is_409(sim: Sim) -> None:
    sim.shop()
    pull = sim.pull()
    sim.told("POST", "/pulls/1/push", repository=SHOP, files=[{"path": "b", "content": "2"}])

    refused = sim.merge(pull)

    assert (refused.status_code, refused.json()["message"].split(".")[0]) == (409, "Head branch was modified")
    assert sim.effects() == []


def test_a_second_merge_is_405_and_merges_nothing(sim: Sim) -> None:
    sim.shop()
    pull = sim.pull()
    sim.merge(pull)

    assert sim.merge(pull).status_code == 405
    assert sim.effects() == ["merge"]


def test_a_conflict_makes_it_unmergeable(sim: Sim) -> None:
    sim.shop()
    pull = sim.pull()
    sim.told("POST", "/commits", repository=SHOP, branch="main", files=OTHER_MAIN)

    sim.github(f"/repos/{SHOP}/pulls/1")
    shown = sim.github(f"/repos/{SHOP}/pulls/1").json()

    assert (shown["mergeable"], shown["mergeable_state"]) == (False, "dirty")
    assert sim.merge(pull).status_code == 405


def test_a_base_that_moved_elsewhere_is_no_conflict(sim: Sim) -> None:
    sim.shop()
    pull = sim.pull()
    sim.told("POST", "/commits", repository=SHOP, branch="main", files=[{"path": "x", "content": "y"}])

    assert sim.merge(pull, merge_method="squash").status_code == 200
    assert [it["filename"] for it in sim.github(f"/repos/{SHOP}/pulls/1/files").json()] == [
        "services/shop/new.py"
    ]


def test_drafts_and_missing_required_checks_are_405(sim: Sim) -> None:
    sim.shop()
    sim.behave(protection={"required_checks": ["ci"]}, checks={"auto": False})

    assert "draft" in sim.merge(sim.pull("a", draft=True)).json()["message"]
    assert '"ci" is expected' in sim.merge(sim.pull("b")).json()["message"]


def test_forks_and_empty_changes_are_seen_as_such(sim: Sim) -> None:
    sim.shop()
    fork, empty = sim.pull("a", fork=True), sim.pull("b", files=[])

    shown = sim.github(f"/repos/{SHOP}/pulls/{fork['number']}").json()
    assert shown["head"]["repo"]["full_name"] == "somebody-else/shop"
    assert shown["head"]["repo"]["fork"]
    assert sim.github(f"/repos/{SHOP}/pulls/{empty['number']}").json()["changed_files"] == 0


def test_a_check_that_flips_is_the_newest_of_its_name(sim: Sim) -> None:
    sim.shop()
    sim.behave(checks={"after_s": 0})
    head = sim.pull()["head_sha"]
    sim.told(
        "POST", "/checks", repository=SHOP, sha=head, name="ci", status="completed", conclusion="failure"
    )

    path = f"/repos/{SHOP}/commits/{head}/check-runs"
    assert [it["conclusion"] for it in sim.github(path).json()["check_runs"]] == ["failure"]
    assert sim.github(path + "?filter=all").json()["total_count"] == 2


def test_a_check_is_queued_then_running_then_done(sim: Sim) -> None:
    sim.shop()
    sim.told("PUT", "/behaviour", repository=SHOP, checks={"after_s": 1000})
    head = sim.pull()["head_sha"]
    seen: list[str] = []
    for _ in range(3):
        seen.append(sim.github(f"/repos/{SHOP}/commits/{head}/check-runs").json()["check_runs"][0]["status"])
        sim.app.world.schedule.skip(600)

    assert seen == ["queued", "in_progress", "completed"]
