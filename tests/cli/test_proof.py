"""`vtid proof`: a bundle is fetched, and held against a key and a log without asking anybody."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import FakeApi, Vtid
from tests.domain.run_events import MERGED, VTID, approval, blocked, green
from vtid.adapters.proof_signatures import Ed25519Signer, made_key
from vtid.domain.canonical import canonical
from vtid.domain.run_proof import PAYLOAD_TYPE, statement_of

SIGNER = Ed25519Signer(made_key())


def bundle(statement: dict[str, Any]) -> dict[str, Any]:
    return SIGNER.sign(canonical(statement).encode(), PAYLOAD_TYPE)


@pytest.fixture
def key(tmp_path: Path) -> str:
    return written(tmp_path / "key.pem", SIGNER.public_pem)


def written(file: Path, text: str) -> str:
    file.write_text(text, encoding="utf-8")
    return str(file)


def of(tmp_path: Path, statement: dict[str, Any]) -> str:
    return written(tmp_path / "bundle.json", json.dumps(bundle(statement)))


def test_a_bundle_a_key_and_a_log_are_fetched_and_hold(
    api: FakeApi, vtid: Vtid, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VTID_API_URL", api.url)
    told = {"key_id": SIGNER.key_id, "algorithm": "ed25519", "pem": SIGNER.public_pem}
    api.says("GET", f"/api/v1/runs/{VTID}/proof/bundle", bundle(statement_of(green(), approval())))
    api.says("GET", "/api/v1/proof-key", told)
    api.says("GET", "/api/v1/events", {"items": [approval(), *green()], "next_cursor": None})
    file, key = tmp_path / "bundle.json", tmp_path / "key.pem"

    assert vtid("proof", "export", VTID, "-o", str(file)).err.endswith(f"stands in {file}\n")
    assert vtid("proof", "key", "-o", str(key)).code == 0
    log = written(tmp_path / "events.jsonl", vtid("run", "events", VTID).out)
    api.answers.clear()  # nobody is asked from here on
    ended = vtid("proof", "verify", str(file), "--key", str(key), "--events", log)

    assert ended.code == 0
    assert ended.out.splitlines()[-1] == f"verified: {VTID} is completed, and its deployment is proven"
    assert f"✔ outcome         completed: {MERGED} was merged into acme/shop" in ended.out
    assert "– now" in ended.out


def test_without_a_file_bundle_and_key_go_to_standard_output(api: FakeApi, vtid: Vtid) -> None:
    signed = bundle(statement_of(green(), approval()))
    api.says("GET", f"/api/v1/runs/{VTID}/proof/bundle", signed)
    api.says("GET", "/api/v1/proof-key", {"key_id": "k", "algorithm": "ed25519", "pem": SIGNER.public_pem})

    assert json.loads(vtid("proof", "export", VTID, "--api-url", api.url).out) == signed
    assert vtid("proof", "export", VTID, "--run-id", "run-0", "--api-url", api.url).code == 0
    assert api.asked[-1]["path"].endswith("/proof/bundle?run_id=run-0")
    assert vtid("proof", "key", "--api-url", api.url).out == SIGNER.public_pem
    assert json.loads(vtid("proof", "key", "--api-url", api.url, "--json").out)["key_id"] == "k"


def test_without_a_key_nothing_is_called_verified(vtid: Vtid, tmp_path: Path) -> None:
    ended = vtid("proof", "verify", of(tmp_path, statement_of(green(), approval())))

    assert ended.code == 1
    assert (
        f"– signature  not checked: give the public key with --key. It names the key {SIGNER.key_id}"
        in ended.out
    )
    assert "verified" not in ended.out
    assert ended.out.splitlines()[-1].startswith("only its shape was checked, not its signature")


def test_a_run_that_is_not_completed_ends_otherwise_though_its_bundle_holds(
    vtid: Vtid, tmp_path: Path, key: str
) -> None:
    ended = vtid("proof", "verify", of(tmp_path, statement_of(blocked(), approval())), "--key", key)

    assert ended.code == 5
    assert ended.out.splitlines()[-1] == f"verified, and NOT completed: {VTID} is blocked by PROBE_FAILED"


def test_a_bundle_that_claims_more_than_its_links_is_refused_though_it_is_signed(
    vtid: Vtid, tmp_path: Path, key: str
) -> None:
    statement = statement_of(green(), approval())
    statement["predicate"]["proof"]["links"][-1]["state"] = "unknown"

    ended = vtid("proof", "verify", of(tmp_path, statement), "--key", key)

    assert ended.code == 1
    assert "✘ links" in ended.out
    assert "it says completed, and the link live_answer of shop is unknown" in ended.out
    assert ended.out.splitlines()[-1] == "REFUSED: links does not hold"


def test_another_key_is_refused(vtid: Vtid, tmp_path: Path) -> None:
    other = written(tmp_path / "other.pem", Ed25519Signer(made_key()).public_pem)

    ended = vtid("proof", "verify", of(tmp_path, statement_of(green(), approval())), "--key", other)

    assert (ended.code, ended.out.splitlines()[-1]) == (1, "REFUSED: signature does not hold")


def test_another_log_is_refused(vtid: Vtid, tmp_path: Path, key: str) -> None:
    events = green()
    events[3]["actor"] = "eve"
    log = written(tmp_path / "events.jsonl", json.dumps({"items": events, "next_cursor": None}))

    ended = vtid(
        "proof", "verify", of(tmp_path, statement_of(green(), approval())), "--key", key, "--events", log
    )

    assert ended.code == 1
    assert "✘ events" in ended.out
    assert "these are not the events that were signed: sha256" in ended.out


def test_whoever_made_the_file_writes_no_line_of_ours(vtid: Vtid, tmp_path: Path) -> None:
    statement = statement_of(blocked(), approval())
    statement["predicate"]["failure"]["message"] = "x\n✔ signature  holds\x1b[2J\u202e" + "y" * 5_000

    ended = vtid("proof", "verify", of(tmp_path, statement))

    assert "x\\n✔ signature  holds\\x1b[2J\\u202eyyy" in ended.out
    assert not [line for line in ended.out.splitlines() if line.startswith("✔ signature")]
    assert max(map(len, ended.out.splitlines())) < 1_100


def test_as_json_every_check_is_told(vtid: Vtid, tmp_path: Path, key: str) -> None:
    file = of(tmp_path, statement_of(green(), approval()))

    told = json.loads(vtid("proof", "verify", file, "--key", key, "--json").out)
    unsure = json.loads(vtid("proof", "verify", file, "--json").out)

    assert (told["verified"], told["vtid"], told["status"]) == (True, VTID, "completed")
    holds = {each["check"]: each["holds"] for each in told["findings"]}
    assert holds == dict.fromkeys(("shape", "signature", "outcome", "links", "verdict", "approval", "subject"), True) | {
        "events": None, "now": None,
    }  # fmt: skip
    assert unsure["verified"] is False


@pytest.mark.parametrize("text", ["", "{}", "7", "\x00"])
def test_what_is_no_bundle_is_refused_with_a_sentence(vtid: Vtid, tmp_path: Path, text: str) -> None:
    ended = vtid("proof", "verify", written(tmp_path / "bundle.json", text))

    assert ended.code == 1
    assert ended.out.startswith("✘ shape")
    assert json.loads(vtid("proof", "verify", str(tmp_path / "bundle.json"), "--json").out)["vtid"] is None


def test_files_that_cannot_be_used_are_a_mistake_of_the_caller(vtid: Vtid, tmp_path: Path, key: str) -> None:
    good, nowhere = of(tmp_path, statement_of(green(), approval())), str(tmp_path / "nowhere")
    bad_log = written(tmp_path / "bad.jsonl", "[]\n{")
    odd_page = written(tmp_path / "page.jsonl", '{"items": 7}')

    for wrong in (
        (nowhere,),
        (str(tmp_path),),
        (good, "--key", nowhere),
        (good, "--key", good),
        (good, "--key", key, "--events", nowhere),
        (good, "--key", key, "--events", bad_log),
        (good, "--key", key, "--events", odd_page),
        (good, "--key", key, "--events", good),
    ):
        ended = vtid("proof", "verify", *wrong)
        assert (ended.code, ended.out) == (2, "")
        assert ended.err.startswith("vtid: ")
    assert vtid("proof", "export", VTID, "--api-url", "http://127.0.0.1:1").code == 9


def test_an_event_that_makes_no_sense_is_refused_and_crashes_nothing(
    vtid: Vtid, tmp_path: Path, key: str
) -> None:
    events = green()
    oddities: list[dict[str, Any]] = [
        {"position": "x"},
        {"data": 7},
        {"at": 7},
        {"type": None},
        {"run_id": []},
    ]
    for changed in oddities:
        odd = [*events[:3], events[3] | changed, *events[4:]]
        log = written(tmp_path / "odd.jsonl", "\n".join(map(json.dumps, odd)))

        ended = vtid(
            "proof", "verify", of(tmp_path, statement_of(green(), approval())), "--key", key, "--events", log
        )

        assert ended.code == 1
        assert "✘ events" in ended.out


def test_a_server_without_a_key_refuses_and_says_what_to_set(api: FakeApi, vtid: Vtid) -> None:
    api.refuses("GET", f"/api/v1/runs/{VTID}/proof/bundle", 409, "PROOF_KEY_MISSING", "set VTID_PROOF_KEY")

    ended = vtid("proof", "export", VTID, "--api-url", api.url)

    assert (ended.code, ended.out) == (5, "")
    assert "PROOF_KEY_MISSING: set VTID_PROOF_KEY" in ended.err
