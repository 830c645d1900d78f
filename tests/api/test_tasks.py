"""Tasks, specs, ETags and idempotency keys."""

import asyncio

import pytest

from vtid.domain.task import spec_hash

from .stage import SPEC, Play

NEW = {"title": "t", "repository": "acme/shop", "environment": "dev"}


async def test_a_task_gets_the_next_free_vtid_and_stands_at_its_location(play: Play) -> None:
    created = await play.post("/tasks", NEW, role="operator")
    vtid = created.json()["vtid"]

    assert created.status_code == 201
    assert created.headers["location"] == f"/api/v1/tasks/{vtid}"
    assert (await play.get(f"/tasks/{vtid.lower()}")).json()["title"] == "t"


async def test_a_vtid_is_taken_once(play: Play) -> None:
    answers = [await play.post("/tasks", NEW | {"vtid": "vtid-01227"}) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [201, 409]
    assert answers[0].json()["vtid"] == "VTID-01227"


async def test_pages_follow_each_other_without_gaps(play: Play) -> None:
    made = {(await play.post("/tasks", NEW)).json()["vtid"] for _ in range(5)}

    seen, cursor = [], None
    while True:
        page = (await play.get("/tasks", params={"limit": 2} | ({"cursor": cursor} if cursor else {}))).json()
        seen += [task["vtid"] for task in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break

    assert sorted(seen) == sorted(made)


async def test_an_edit_names_the_version_that_it_read(play: Play) -> None:
    created = await play.post("/tasks", NEW)
    path, first = f"/tasks/{created.json()['vtid']}", created.headers["etag"]

    async def rename(title: str, **headers: str) -> tuple[int, str]:
        answer = await play.call("operator", "PATCH", path, json={"title": title}, headers=headers)
        return answer.status_code, answer.json().get("code", "")

    assert await rename("a", **{"If-Match": first}) == (200, "")
    assert await rename("b", **{"If-Match": first}) == (412, "STALE_ETAG")
    assert await rename("c") == (428, "STALE_ETAG")
    assert await rename("d", **{"If-Match": "*"}) == (200, "")
    assert await rename("e", **{"If-Match": "abc"}) == (422, "VALIDATION")


async def test_an_edit_without_a_version_is_told_to_name_one_and_not_to_repeat_itself(play: Play) -> None:
    vtid = await play.task()

    answer = await play.call("operator", "PATCH", f"/tasks/{vtid}", json={"title": "c"})

    assert answer.status_code == 428
    assert answer.json()["title"] == "an edit must name the version that was read"
    assert answer.json()["retryable"] is False


@pytest.mark.parametrize("text", ["", " \n\t ", "é" * 500_001])
async def test_a_spec_that_is_empty_or_over_a_megabyte_is_refused_and_not_stored(
    play: Play, text: str
) -> None:
    vtid = await play.task(None)

    put = await play.call("operator", "PUT", f"/tasks/{vtid}/spec", json={"markdown": text})
    created = await play.post("/tasks", NEW | {"spec": text})

    assert (put.status_code, put.json()["code"]) == (422, "VALIDATION")
    assert put.json()["errors"][0]["field"] == "markdown"
    assert created.json()["errors"][0]["field"] == "spec"
    assert (await play.get(f"/tasks/{vtid}/spec")).status_code == 404


async def test_a_stale_edit_is_answered_with_the_fresh_object(play: Play) -> None:
    created = await play.post("/tasks", NEW)
    path = f"/tasks/{created.json()['vtid']}"
    stale = {"If-Match": created.headers["etag"]}
    await play.call("operator", "PATCH", path, json={"title": "new"}, headers=stale)

    for method, where, body in (
        ("PATCH", path, {"title": "x"}),
        ("PUT", f"{path}/spec", {"markdown": SPEC}),
        ("POST", f"{path}/spec/approve", {"hash": "0" * 64}),
    ):
        answer = await play.call("approver", method, where, json=body, headers=stale)
        assert (answer.status_code, answer.json()["fresh"]["title"]) == (412, "new")
        assert answer.headers["etag"] == answer.json()["actual"]


async def test_approval_binds_the_exact_text(play: Play) -> None:
    vtid = await play.task(approved=False)

    wrong = await play.post(f"/tasks/{vtid}/spec/approve", {"hash": spec_hash(SPEC + "\n")})
    right = await play.post(f"/tasks/{vtid}/spec/approve", {"hash": spec_hash(SPEC), "reason": "read it"})
    edited = await play.call("operator", "PUT", f"/tasks/{vtid}/spec", json={"markdown": SPEC + "\n"})

    assert (wrong.status_code, wrong.json()["code"]) == (409, "SPEC_HASH_MISMATCH")
    assert wrong.json()["expected"] == spec_hash(SPEC)
    assert (right.json()["status"], right.json()["spec"]["approved_by"]) == ("scheduled", "admin-1")
    assert (edited.json()["status"], edited.json()["spec"]["approved_by"]) == ("allocated", None)


async def test_validation_refuses_errors_and_tells_warnings(play: Play) -> None:
    bare = await play.task("Do it", approved=False)
    thin = await play.task("# Do it", approved=False)

    refused = await play.post(f"/tasks/{bare}/spec/validate")
    told = await play.post(f"/tasks/{thin}/spec/validate")

    assert (refused.status_code, refused.json()["code"]) == (422, "VALIDATION")
    assert "the spec has no heading" in refused.json()["actual"][0]
    assert told.status_code == 200
    assert len(told.json()["warnings"]) == 3


async def test_the_same_key_creates_once_and_answers_the_same(play: Play) -> None:
    key = {"Idempotency-Key": "k1"}
    first = await play.post("/tasks", NEW, headers=key)
    second = await play.post("/tasks", NEW, headers=key)

    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json() == second.json()
    assert first.headers["location"] == second.headers["location"]
    assert len((await play.get("/tasks")).json()["items"]) == 1


async def test_a_key_with_another_body_is_refused_and_belongs_to_its_caller(play: Play) -> None:
    key = {"Idempotency-Key": "k1"}
    await play.post("/tasks", NEW, headers=key)

    other = await play.post("/tasks", NEW | {"title": "u"}, headers=key)
    somebody = await play.post("/tasks", NEW | {"title": "u"}, role="operator", headers=key)

    assert (other.status_code, other.json()["code"]) == (422, "IDEMPOTENCY_REUSED")
    assert somebody.status_code == 201


async def test_a_refused_call_leaves_its_key_free(play: Play) -> None:
    vtid = await play.task(approved=False)
    key = {"Idempotency-Key": "k1"}

    before = await play.post("/runs", {"vtid": vtid}, headers=key)
    await play.post(f"/tasks/{vtid}/spec/approve", {"hash": spec_hash(SPEC)})
    after = await play.post("/runs", {"vtid": vtid}, headers=key)

    assert (before.status_code, after.status_code) == (409, 202)


async def test_ten_calls_at_once_with_one_key_have_one_effect(play: Play) -> None:
    key = {"Idempotency-Key": "k1"}

    answers = await asyncio.gather(*(play.post("/tasks", NEW, headers=key) for _ in range(10)))

    assert {answer.status_code for answer in answers} <= {201, 409}
    assert len((await play.get("/tasks")).json()["items"]) == 1


async def test_a_worker_reads_the_spec_of_the_open_run_and_later_the_newest(play: Play) -> None:
    vtid = await play.run()
    newer = SPEC.replace("Ship it", "Ship more")
    await play.call("admin", "PUT", f"/tasks/{vtid}/spec", json={"markdown": newer})

    under_way = await play.get(f"/tasks/{vtid}/spec", role="worker")
    waiting = await play.get(f"/tasks/{await play.task(newer)}/spec", role="worker")
    none = await play.get(f"/tasks/{await play.task(None)}/spec", role="worker")

    assert (under_way.json()["pinned"], under_way.json()["markdown"]) == (True, SPEC)
    assert (waiting.json()["pinned"], waiting.json()["markdown"]) == (False, newer)
    assert (none.status_code, none.json()["code"]) == (404, "NOT_FOUND")
