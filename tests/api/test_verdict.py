"""The verdict is an object of its own."""

from tests.api.stage import Play
from vtid.domain.rules import RULES
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
    assert verdict["rules"] == [RULE | {"links": {"pr": pull["url"]}}]
    assert verdict["links"]["pr"] == pull["url"]


async def test_every_rule_leads_to_what_it_judged(play: Play) -> None:
    vtid = await play.run()
    pull = {"number": 7, "url": "https://github.test/acme/shop/pull/7", "head_sha": HEAD, "branch": "b"}
    rules = [RULE | {"rule": rule.id} for rule in RULES]
    await play.tell(vtid, "verdict.reached", stage=Stage.VALIDATOR, passed=True, head_sha=HEAD, rules=rules)
    before = (await play.get(f"/runs/{vtid}/verdict")).json()["rules"]
    await play.tell(vtid, "evidence.observed", source="handed_in", pull_request=pull)
    await play.tell(vtid, "verdict.reached", stage=Stage.VALIDATOR, passed=True, head_sha=HEAD, rules=rules)

    links = {
        each["rule"]: each["links"] for each in (await play.get(f"/runs/{vtid}/verdict")).json()["rules"]
    }

    assert all(links.values())
    assert links["VAL-RULE-010"] == {"checks": "https://github.test/acme/shop/pull/7/checks"}
    for address in (one for each in links.values() for one in each.values() if one.startswith("/api/v1")):
        assert (await play.get(address.removeprefix("/api/v1"))).status_code == 200, address
    assert {each["rule"]: each["links"] for each in before}["VAL-RULE-010"] == {}


async def test_what_was_not_judged_has_no_verdict(play: Play) -> None:
    vtid = await play.run()

    answer = await play.get(f"/runs/{vtid}/verdict")

    assert (answer.status_code, answer.json()["code"]) == (404, "NOT_FOUND")
