"""Every refusal is a problem, on every layer, and tells nothing internal."""

from typing import Any

import httpx
import pytest

from api.gateway.paths import is_gateway
from vtid.ledger import LedgerUnavailable

from .stage import Play

MEMBERS = {"type", "title", "status", "detail", "instance", "code", "stage", "retryable", "expected", "actual",
           "request_id", "errors"}  # fmt: skip
LONG = '{"title": "%s", "repository": "r", "environment": "e"}' % (301 * "x")


def check(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    body: dict[str, Any] = answer.json()
    assert (answer.status_code, body["code"], body["status"]) == (status, code, status), body
    assert answer.headers["content-type"] == "application/problem+json"
    assert set(body) >= MEMBERS
    assert body["request_id"] == answer.headers["x-request-id"]
    return body


async def test_addresses_and_methods_that_do_not_exist_are_problems(play: Play) -> None:
    check(await play.get("/nothing"), 404, "NOT_FOUND")
    check(await play.call("admin", "DELETE", "/tasks"), 405, "METHOD_NOT_ALLOWED")


@pytest.mark.parametrize("body", [b"{", b"[]", b"\xff\xfe", b"", b'"text"', b'{"vtid": 7}'])
async def test_a_body_that_is_not_the_expected_json_is_a_problem(play: Play, body: bytes) -> None:
    answer = await play.call(
        "admin", "POST", "/runs", content=body, headers={"Content-Type": "application/json"}
    )

    check(answer, 422, "VALIDATION")


@pytest.mark.parametrize(
    ("path", "body", "field", "message"),
    [
        ("/runs", '{"vtid" 1}', "body", "the body is not valid JSON: Expecting ':' delimiter at character 9"),
        ("/runs", "[]", "body", "must be a JSON object"),
        ("/tasks", '{"title": "", "repository": "r", "environment": "e"}', "title", "must not be empty"),
        ("/tasks", '{"title": " \\t", "repository": "r", "environment": "e"}', "title", "must not be empty"),
        ("/tasks", LONG, "title", "must have at most 300 characters"),
        ("/tasks", '{"title": "x", "repository": "r"}', "environment", "is required"),
        ("/runs", '{"vtid": "vtid-01"}', "vtid", "'vtid-01' is "),
        ("/runs", b'{"vtid": "\xff"}', "body", "is not UTF-8 text"),
        ("/tasks/VTID-01227/spec/approve", '{"hash": "abc"}', "hash", "must be a SHA-256: 64 hexadecimal"),
        ("/notifications", '{"name": "on call"}', "name", "must be a name of letters"),
        (
            "/runs",
            '{"vtid": "VTID-01227", "vtids": 1}',
            "vtids",
            "unknown (did you mean vtid?); allowed: vtid",
        ),
    ],
)
async def test_what_is_wrong_is_told_in_plain_words(
    play: Play, path: str, body: str | bytes, field: str, message: str
) -> None:
    answer = await play.call(
        "admin", "POST", path, content=body, headers={"Content-Type": "application/json"}
    )

    error = check(answer, 422, "VALIDATION")["errors"][0]
    assert error["field"] == field
    assert error["message"].startswith(message)


async def test_unknown_fields_are_named(play: Play) -> None:
    body = check(await play.post("/runs", {"vtid": "VTID-0001", "sped": 1}), 422, "VALIDATION")

    assert body["errors"] == [{"field": "sped", "message": "unknown; allowed: vtid"}]


@pytest.mark.parametrize("vtid", ["VTID-12", "VTID_1234", "x", "VTID-1234\u0000"])
async def test_a_malformed_vtid_is_told_what_a_vtid_is(play: Play, vtid: str) -> None:
    in_body = check(await play.post("/runs", {"vtid": vtid}), 422, "VALIDATION")
    in_path = check(await play.get(f"/runs/{vtid.replace(chr(0), '%00')}"), 422, "VALIDATION")

    assert in_body["errors"][0]["field"] == "vtid"
    assert in_path["errors"][0]["field"] == "vtid"


@pytest.mark.parametrize("text", ["\ud800", "a\u0000b"])
async def test_text_that_nobody_can_store_is_refused(play: Play, text: str) -> None:
    content = '{"title": "%s", "repository": "acme/shop", "environment": "dev"}'
    escaped = "".join(f"\\u{ord(each):04x}" if ord(each) < 32 or ord(each) > 127 else each for each in text)

    answer = await play.call(
        "admin", "POST", "/tasks", content=content % escaped, headers={"Content-Type": "application/json"}
    )

    check(answer, 422, "VALIDATION")


async def test_a_body_of_five_megabytes_is_too_large_with_and_without_its_length(play: Play) -> None:
    spec = '{"markdown": "' + "x" * 5_000_000 + '"}'
    json = {"Content-Type": "application/json"}

    async def in_pieces() -> Any:
        for start in range(0, len(spec), 100_000):
            yield spec[start : start + 100_000].encode()

    told = await play.call("admin", "PUT", "/tasks/VTID-0001/spec", content=spec, headers=json)
    counted = await play.call("admin", "PUT", "/tasks/VTID-0001/spec", content=in_pieces(), headers=json)
    keyed = await play.call(
        "admin", "POST", "/tasks", content=in_pieces(), headers=json | {"Idempotency-Key": "k"}
    )

    for answer in (told, counted, keyed):
        check(answer, 413, "TOO_LARGE")


async def test_an_undeclared_target_is_refused_with_what_is_declared(play: Play) -> None:
    good = {"title": "t", "repository": "acme/shop", "environment": "dev"}

    environment = check(await play.post("/tasks", good | {"environment": "moon"}), 422, "VALIDATION")
    repository = check(await play.post("/tasks", good | {"repository": "acme/other"}), 422, "VALIDATION")
    service = check(await play.post("/tasks", good | {"services": ["nope"]}), 422, "VALIDATION")

    assert {"dev", "staging", "production"} <= set(environment["expected"])
    assert "acme/shop" in repository["expected"]
    assert service["expected"] == ["shop"]


async def test_the_ledger_out_of_reach_is_503_and_worth_a_retry(
    play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(_: str) -> None:
        raise LedgerUnavailable("connection to secret-host refused")

    monkeypatch.setattr(play.ledger.tasks, "get", away)

    answer = await play.get("/tasks/VTID-0001")

    assert check(answer, 503, "LEDGER_UNAVAILABLE")["retryable"] is True
    assert "retry-after" in answer.headers
    assert "secret-host" not in answer.text


async def test_a_crash_of_ours_tells_nothing_internal(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    async def crash(_: str) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr(play.ledger.tasks, "get", crash)

    answer = await play.get("/tasks/VTID-0001")

    check(answer, 500, "INTERNAL")
    assert "secret" not in answer.text
    assert answer.headers["x-content-type-options"] == "nosniff"


async def test_a_request_id_of_the_caller_is_kept_and_a_strange_one_replaced(play: Play) -> None:
    kept = await play.get("/limits", headers={"X-Request-Id": "trace-7"})
    replaced = await play.get("/limits", headers={"X-Request-Id": "a b"})

    assert kept.headers["x-request-id"] == "trace-7"
    assert replaced.headers["x-request-id"] != "a b"


async def test_answers_carry_the_security_headers(play: Play) -> None:
    answer = await play.get("/limits")

    assert "default-src 'self'" in answer.headers["content-security-policy"]
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["cache-control"] == "no-store"


async def test_openapi_documents_the_problems_of_every_route(play: Play) -> None:
    async with play.client(None) as client:
        schema = (await client.get("/openapi.json")).json()

    operations = [
        op
        for path, item in schema["paths"].items()
        if path.startswith("/api/") and not is_gateway(path)
        for op in item.values()
    ]
    assert all("application/problem+json" in op["responses"]["409"]["content"] for op in operations)
    assert set(schema["components"]["schemas"]["Problem"]["properties"]) >= MEMBERS


async def test_openapi_documents_the_refusals_of_the_old_gateway(play: Play) -> None:
    async with play.client(None) as client:
        schema = (await client.get("/openapi.json")).json()

    old = [op for path, item in schema["paths"].items() if is_gateway(path) for op in item.values()]
    assert old
    assert all("error_code" in str(op["responses"]["409"]["content"]["application/json"]) for op in old)


async def test_openapi_tells_which_operations_need_a_key_and_what_each_does(play: Play) -> None:
    async with play.client(None) as client:
        schema = (await client.get("/openapi.json")).json()

    assert schema["components"]["securitySchemes"]["key"]["scheme"] == "bearer"
    for path, item in schema["paths"].items():
        for verb, operation in item.items():
            signs_in_or_out = path == "/api/v1/session" and verb != "get"
            needs_key = path.startswith(("/api/", "/rest/")) and not signs_in_or_out
            assert bool(operation.get("security")) is needs_key, path
            assert len(operation["tags"]) == 1, path
            assert " " in operation["summary"], path
            assert not operation["summary"].endswith("."), path
    assert (
        schema["paths"]["/api/v1/tasks"]["post"]["summary"] == "Create a task; with a spec, if one is given"
    )


@pytest.mark.parametrize("digits", ["9" * 19, "9" * 5_000])
async def test_a_number_that_no_database_can_hold_is_refused(play: Play, digits: str) -> None:
    vtid = await play.task()

    answers = [
        await play.get(f"/events?after={digits}"),
        await play.call(
            "admin", "PATCH", f"/tasks/{vtid}", json={"title": "x"}, headers={"If-Match": f'"{digits}"'}
        ),
    ]

    assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [(422, "VALIDATION")] * 2


async def test_every_number_in_an_address_fits_into_a_database(play: Play) -> None:
    """One that does not is told so, and does not come back from the database as a fault of ours."""
    unbounded = []
    for path, calls in play.app.openapi()["paths"].items():
        for call in calls.values():
            for parameter in call.get("parameters", []):
                kinds = parameter["schema"].get("anyOf", [parameter["schema"]])
                unbounded += [
                    (path, parameter["name"])
                    for kind in kinds
                    if kind.get("type") == "integer" and not kind.get("maximum", 2**63) < 2**63
                ]

    assert unbounded == []
