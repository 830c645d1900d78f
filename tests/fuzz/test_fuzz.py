"""A thousand random requests over the whole document: no fault of ours, and no answer that the document does not have."""

import asyncio
import time

import pytest
from fastapi import FastAPI
from starlette.responses import JSONResponse

from tests.fuzz.fuzzing import Findings, Known, fuzz
from tests.fuzz.ground import fuzzed, on_a_socket
from vtid.cli.console import tell

CASES, SEED = 1_000, 20_260_102


@pytest.fixture(scope="module")
async def findings(tmp_path_factory: pytest.TempPathFactory) -> Findings:
    began = time.monotonic()
    found = await fuzzed(tmp_path_factory.mktemp("fuzz") / "ledger", cases=CASES, seed_number=SEED)
    tell(f"fuzz: seed {SEED}, {found.says()}, {time.monotonic() - began:.0f} s")
    return found


@pytest.mark.timeout(300)
def test_every_answer_is_one_that_the_document_has_and_none_is_a_fault_of_ours(findings: Findings) -> None:
    assert findings.cases == CASES
    assert findings.wrong == {}


def test_the_requests_get_behind_the_door(findings: Findings) -> None:
    """Random requests that are all refused would prove nothing."""
    well = sum(number for status, number in findings.statuses.items() if status < 300)

    assert well > CASES / 4
    assert len(findings.never_well) < findings.operations / 4


async def test_a_route_that_breaks_its_promise_is_found() -> None:
    """The net has no hole where it matters: a crash, an answer that is not in the document, one of another shape."""
    app = FastAPI()

    @app.get("/teapot", response_model=dict[str, int])
    async def teapot(cups: int = 1) -> JSONResponse:
        if cups > 100:
            raise RuntimeError("too many")
        return JSONResponse({"cups": "several"}, 418 if cups < 0 else 200)

    async with on_a_socket(app) as url:
        found = await asyncio.to_thread(fuzz, url, "key", "secret", Known(), cases=60, seed_number=1)

    assert {what.rpartition(": ")[2] for what in found.wrong} >= {
        "Response violates schema",
        "Undocumented status code",
        "Server error",
    }
