"""Faults are seen by the client exactly as told, and nothing is half done by accident."""

import httpx
import pytest

from .conftest import SHOP, Sim

MERGE = {"method": "put", "path_regex": "/pulls/1/merge$"}


def test_a_502_storm_ends_after_its_times(sim: Sim) -> None:
    sim.shop()
    action = {"status": 502, "body": "<html>Bad Gateway</html>", "headers": {"Retry-After": "1"}}
    sim.told("POST", "/faults", match={"path_regex": "^/api/v3"}, times=2, action=action)

    answers = [sim.github(f"/repos/{SHOP}") for _ in range(3)]

    assert [it.status_code for it in answers] == [502, 502, 200]
    assert (answers[0].headers["retry-after"], answers[0].text) == ("1", "<html>Bad Gateway</html>")


def test_a_lost_answer_has_merged(sim: Sim) -> None:
    sim.shop()
    pull = sim.pull()
    sim.told("POST", "/faults", match=MERGE, times=1, action={"lose_answer": True})

    with pytest.raises(httpx.TransportError):
        sim.merge(pull)

    assert sim.github(f"/repos/{SHOP}/pulls/1").json()["merged"]
    assert sim.effects() == ["merge"]


def test_a_late_merge_happens_also_when_its_sender_has_gone(sim: Sim) -> None:
    sim.shop()
    pull = sim.pull()
    sim.told("POST", "/faults", match=MERGE, times=1, action={"delay_s": 0.2})

    with pytest.raises(httpx.ReadTimeout):
        sim.http.put(f"/api/v3/repos/{SHOP}/pulls/1/merge", json={"sha": pull["head_sha"]}, timeout=0.05)

    sim.until(lambda: sim.effects() == ["merge"], limit=1000)


def test_a_reset_has_not_merged(sim: Sim) -> None:
    sim.shop()
    pull = sim.pull()
    sim.told("POST", "/faults", match=MERGE, times=1, action={"reset": True})

    with pytest.raises(httpx.TransportError):
        sim.merge(pull)

    assert sim.effects() == []
    assert sim.merge(pull).status_code == 200


def test_applied_and_answered_with_an_error(sim: Sim) -> None:
    sim.shop()
    pull = sim.pull()
    sim.told("POST", "/faults", match=MERGE, times=1, action={"apply": True, "status": 502})

    assert sim.merge(pull).status_code == 502
    assert sim.effects() == ["merge"]


def test_a_black_hole_never_answers(sim: Sim) -> None:
    sim.shop()
    sim.told("POST", "/faults", match={"path_regex": "^/v2/"}, action={"hang": True})

    with pytest.raises(httpx.ReadTimeout):
        sim.http.get("/v2/projects/demo/locations/europe-west1/services/shop", timeout=0.1)


def test_half_an_answer(sim: Sim) -> None:
    sim.shop()
    sim.told("POST", "/faults", match={"path_regex": "/services/shop$"}, action={"truncate": True})

    with pytest.raises(httpx.RemoteProtocolError, match="without sending complete"):
        sim.cloud_run()


def test_late_and_with_other_headers(sim: Sim) -> None:
    sim.shop()
    action = {"delay_s": 0.05, "headers": {"X-RateLimit-Remaining": "0"}}
    sim.told("POST", "/faults", match={"path_regex": "/rate_limit"}, action=action)

    answer = sim.github("/rate_limit")

    assert answer.elapsed.total_seconds() >= 0.05
    assert answer.headers.get_list("x-ratelimit-remaining")[-1] == "0"


def test_the_control_plane_cannot_be_broken(sim: Sim) -> None:
    sim.told("POST", "/faults", match={"path_regex": ".*"}, action={"status": 500})

    assert sim.told("DELETE", "/faults") == {"removed": 1}
    assert sim.github("/user").status_code == 200


def test_the_journal_names_the_repository_of_a_call_that_a_fault_answered(sim: Sim) -> None:
    sim.shop()
    sim.told("POST", "/faults", match={"path_regex": "/pulls"}, action={"status": 502})
    sim.github(f"/repos/{SHOP}/pulls")

    calls = sim.http.get("/_sim/journal", params={"repository": SHOP}).json()

    assert calls[-1]["status"] == 502


def test_the_journal_names_the_fault(sim: Sim) -> None:
    sim.told("POST", "/faults", match={"path_regex": "/user"}, action={"status": 503})
    sim.github("/user")

    last = sim.http.get("/_sim/journal").json()[-1]

    assert (last["fault"], last["status"], last["effect"]) == ("503", 503, None)
