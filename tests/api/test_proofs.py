"""The bundle that an auditor takes home, made from the ledger and signed."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from api.__main__ import proof_signer
from tests.api.conftest import Staging
from tests.api.stage import Play
from tests.domain.run_events import HEAD, MERGED, PULL, links, rule
from vtid.adapters.proof_signatures import Ed25519Signer, made_key, verify
from vtid.configuration.settings import ConfigurationError, Settings
from vtid.domain.proof_checks import findings_against, findings_of
from vtid.domain.proof_shape import read_bundle
from vtid.domain.stages import Stage

SIGNER = Ed25519Signer(made_key())


@pytest.fixture
def play(staging: Staging) -> Play:
    return staging(proof_signer=SIGNER)


async def merged(play: Play) -> str:
    """A run that has merged. Gives its VTID."""
    vtid = await play.run()
    pull = {"number": 7, "url": PULL, "head_sha": HEAD, "branch": "b"}
    rules = [rule(number) for number in range(1, 14)]
    await play.tell(vtid, "run.admitted", stage=Stage.PLANNER)
    await play.tell(vtid, "stage.started", stage=Stage.VALIDATOR)
    await play.tell(vtid, "evidence.observed", source="handed_in", pull_request=pull)
    await play.tell(vtid, "verdict.reached", stage=Stage.VALIDATOR, passed=True, head_sha=HEAD, rules=rules)
    await play.tell(vtid, "stage.started", stage=Stage.DEPLOY)
    await play.tell(vtid, "change.merged", stage=Stage.DEPLOY, sha=MERGED)
    return vtid


async def completed(play: Play, chain: list[dict[str, Any]]) -> str:
    """A run that says that it is completed, with these links. Gives its VTID."""
    vtid = await merged(play)
    await play.tell(vtid, "proof.recorded", stage=Stage.DEPLOY, complete=True, code=None, links=chain)
    end = {"status": "completed", "outcome": "success", "failure": None, "note": None}
    await play.tell(vtid, "run.finished", stage=Stage.DEPLOY, **end)
    return vtid


async def test_a_completed_run_has_a_bundle_that_holds(play: Play) -> None:
    vtid = await completed(play, links())

    answer = await play.get(f"/runs/{vtid}/proof/bundle")
    key = (await play.get("/proof-key")).json()
    log = (await play.get("/events", params={"vtid": vtid, "limit": 500})).json()["items"]

    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Disposition"] == f'attachment; filename="{vtid}.proof.json"'
    bundle = read_bundle(answer.text)
    assert (key["algorithm"], key["key_id"]) == ("ed25519", verify(bundle.envelope, key["pem"]))
    assert all(each.holds for each in findings_of(bundle.statement))
    assert [each.holds for each in findings_against(bundle.statement, log)] == [True, True, True]
    assert bundle.predicate["spec"]["approval"]["by"] == "admin-1"
    assert bundle.statement["subject"][0]["digest"] == {"gitCommit": MERGED}


async def test_the_same_run_gives_the_same_bundle_also_after_later_events_of_its_task(play: Play) -> None:
    vtid = await completed(play, links())
    first = (await play.get(f"/runs/{vtid}/proof/bundle")).json()
    await play.post("/system/disarm", {"reason": "x"})
    await play.post(f"/tasks/{vtid}/spec/validate")

    assert (await play.get(f"/runs/{vtid}/proof/bundle")).json() == first


async def test_a_blocked_run_has_one_that_says_so(play: Play) -> None:
    vtid = await merged(play)
    failure = {
        "code": "PROBE_FAILED", "stage": "DEPLOY", "message": "no answer", "outcome": "error", "moves": ["retry"],
        "retryable": True, "advice": "look", "skippable": [], "causes": [], "step": None, "attempt": None, "since": None,
    }  # fmt: skip
    await play.tell(vtid, "run.blocked", stage=Stage.DEPLOY, failure=failure, until=None)

    run = read_bundle((await play.get(f"/runs/{vtid}/proof/bundle")).text).predicate

    assert (run["status"], run["outcome"], run["failure"]["code"]) == ("blocked", None, "PROBE_FAILED")


async def test_a_run_that_somebody_ended_inside_temporal_has_one_that_says_so(play: Play) -> None:
    vtid = await merged(play)
    record = await play.ledger.runs.current(vtid)
    await play.ledger.runs.terminated(record.start_id, status="TERMINATED", message="by hand")

    bundle = read_bundle((await play.get(f"/runs/{vtid}/proof/bundle")).text)

    assert (bundle.predicate["status"], bundle.predicate["ended_by"]) == ("rejected", "engine")
    assert bundle.predicate["failure"]["code"] == "ENGINE_TERMINATED"


async def test_an_earlier_run_of_the_task_keeps_its_bundle(play: Play) -> None:
    """Also one that did not tell its own end."""
    vtid = await merged(play)
    first = await play.ledger.runs.current(vtid)
    play.engine.run_of(vtid).status = "terminated"
    await play.ledger.runs.terminated(first.start_id, status="TERMINATED", message="by hand")
    before = (await play.get(f"/runs/{vtid}/proof/bundle")).text
    again = await play.post("/runs", {"vtid": vtid})
    assert again.status_code == 202, again.text

    now = await play.get(f"/runs/{vtid}/proof/bundle")
    earlier = await play.get(f"/runs/{vtid}/proof/bundle", params={"run_id": first.run_id})
    unknown = await play.get(f"/runs/{vtid}/proof/bundle", params={"run_id": "no-such-run"})

    assert (now.status_code, now.json()["code"]) == (409, "ILLEGAL_TRANSITION")
    assert earlier.text == before
    assert (unknown.status_code, unknown.json()["code"]) == (404, "NOT_FOUND")


async def test_a_run_under_way_has_none_yet(play: Play) -> None:
    answer = await play.get(f"/runs/{await play.run()}/proof/bundle")

    assert (answer.status_code, answer.json()["code"]) == (409, "ILLEGAL_TRANSITION")
    assert answer.json()["expected"] == "blocked, completed, rejected or cancelled"


async def test_what_contradicts_itself_is_never_signed(play: Play) -> None:
    chain = links()
    chain[4]["state"] = "claimed"
    vtid = await completed(play, chain)

    answer = await play.get(f"/runs/{vtid}/proof/bundle")

    assert (answer.status_code, answer.json()["code"]) == (409, "PROOF_INCOMPLETE")
    assert "the link traffic of shop is claimed" in answer.json()["detail"]


async def test_without_a_key_nothing_is_given_unsigned(staging: Staging) -> None:
    play = staging()
    vtid = await completed(play, links())

    for path in (f"/runs/{vtid}/proof/bundle", "/proof-key"):
        answer = await play.get(path)
        assert (answer.status_code, answer.json()["code"]) == (409, "PROOF_KEY_MISSING")
        assert "VTID_PROOF_KEY" in answer.json()["detail"]


async def test_a_task_without_a_run_has_none(play: Play) -> None:
    assert (await play.get(f"/runs/{await play.task()}/proof/bundle")).status_code == 404


async def test_workers_may_not_read_it(play: Play) -> None:
    assert (await play.get("/proof-key", role="worker")).status_code == 403


async def test_the_payload_is_an_in_toto_statement(play: Play) -> None:
    vtid = await completed(play, links())

    envelope = (await play.get(f"/runs/{vtid}/proof/bundle")).json()

    assert envelope["payloadType"] == "application/vnd.in-toto+json"
    statement = json.loads(base64.b64decode(envelope["payload"]))
    assert statement["_type"] == "https://in-toto.io/Statement/v1"
    assert statement.keys() == {"_type", "subject", "predicateType", "predicate"}


def test_a_key_is_made_in_dev_alone_and_stays(tmp_path: Path) -> None:
    """Elsewhere a key that nobody chose would sign what nobody can verify."""
    here = {"VTID_DATA_DIR": str(tmp_path)}
    assert proof_signer(Settings.load(here | {"VTID_ENV": "production"})) is None
    assert not (tmp_path / "proof.key").exists()

    made = proof_signer(Settings.load(here))
    again = proof_signer(Settings.load(here))
    chosen = proof_signer(Settings.load(here | {"VTID_ENV": "production", "VTID_PROOF_KEY": made_key()}))

    assert made is not None
    assert again is not None
    assert chosen is not None
    assert made.key_id == again.key_id != chosen.key_id


def test_a_broken_key_is_told_with_its_file(tmp_path: Path) -> None:
    (tmp_path / "proof.key").write_text("half a k")

    with pytest.raises(ConfigurationError, match=r"proof\.key: expected an Ed25519 private key"):
        proof_signer(Settings.load({"VTID_DATA_DIR": str(tmp_path)}))
