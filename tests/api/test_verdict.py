"""The verdict is an object of its own."""

from tests.api.stage import Play
from vtid.domain.stages import Stage

HEAD = "a" * 40
RULE = {
    "rule": "VAL-RULE-007", "title": "the head is the evidence", "answer": "pass", "reason": "it is",
    "inputs": {"head": HEAD}, "code": "HEAD_MOVED",
}  # fmt: skip


async def test_a_verdict_is_told_with_every_rule_its_inputs_and_the_links(play: Play) -> None:
    vtid = await play.run()
    pull = {"number": 7, "url": "https://github.test/acme/shop/pull/7", "head_sha": HEAD, "branch": "b"}
    await play.tell(vtid, "evidence.observed", source="handed_in", pull_request=pull)
    await play.tell(vtid, "verdict.reached", stage=Stage.VALIDATOR, passed=True, head_sha=HEAD, rules=[RULE])

    verdict = (await play.get(f"/runs/{vtid}/verdict")).json()

    assert (verdict["vtid"], verdict["passed"], verdict["head_sha"]) == (vtid, True, HEAD)
    assert verdict["rules"] == [RULE]
    assert verdict["links"]["pr"] == pull["url"]


async def test_what_was_not_judged_has_no_verdict(play: Play) -> None:
    vtid = await play.run()

    answer = await play.get(f"/runs/{vtid}/verdict")

    assert (answer.status_code, answer.json()["code"]) == (404, "NOT_FOUND")
