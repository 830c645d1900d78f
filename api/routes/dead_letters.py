"""Dead letters: the blocked runs that need a person, one by one or many at once."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Request
from pydantic import Field, model_validator
from starlette.responses import JSONResponse

from api import told_shapes
from api.asked import check_code
from api.auth import Principal
from api.dead_letters import MOST_AT_ONCE, Decided, decide_all, shown
from api.moves import effects
from api.presenter import utc_now
from api.problems import Problem
from api.rescue import Wish, carry_out, plan
from api.services import PREFIX, Body, Given, Limit, Operator, Services, Text, Viewer
from api.shapes import Paged
from vtid.domain.stages import Move, Stage
from vtid.ledger.dead_letters import Wanted
from vtid.ledger.records import DeadLetterRecord

router = APIRouter(prefix=PREFIX, tags=["dead letters"])

LetterId = Annotated[Text, Field(min_length=1, max_length=200)]
_FOR_ONE = {Move.ADOPT: "adopt takes one pull request for one run: POST /runs/{vtid}/rescue"}


class BulkRescue(Body):
    """One move for many entries: those of a code, or those that are named."""

    move: Annotated[str, Field(max_length=40, description="one of the moves that the entries offer")]
    code: Annotated[Text, Field(max_length=60)] | None = Field(None, description="only entries of this code")
    stage: Stage | None = Field(None, description="only entries of this stage")
    environment: Annotated[Text, Field(max_length=100)] | None = None
    ids: Annotated[list[LetterId], Field(max_length=MOST_AT_ONCE)] | None = Field(
        None, description="only these entries, by their id"
    )
    reason: Annotated[Text, Field(max_length=2_000)] = Field("", description="needed by `abandon` and `skip`")
    rule: Annotated[Text, Field(max_length=40)] | None = Field(None, description="for `skip`: VAL-RULE-…")
    dry_run: bool = Field(False, description="only tell what the move would do to each")
    limit: Annotated[int, Field(ge=1, le=MOST_AT_ONCE)] = Field(
        MOST_AT_ONCE, description="how many at most, the longest waiting first"
    )

    @model_validator(mode="after")
    def _names_some(self) -> "BulkRescue":
        if self.code is None and not self.ids:
            raise ValueError("name a code or ids: nothing is decided about every blocked run at once")
        return self


@router.get("/dead-letters", response_model=Paged[told_shapes.DeadLetter])
async def dead_letters(
    given: Given,
    _: Viewer,
    state: Literal["open", "resolved", "all"] = "open",
    code: str | None = None,
    stage: Stage | None = None,
    environment: Text | None = None,
    limit: Limit = 50,
    cursor: Text | None = None,
) -> JSONResponse:
    """Blocked runs: stage, code, causes, inputs, side effects so far, and what each move would do."""
    check_code(code)
    wanted = Wanted(None if state == "all" else state, code, stage, environment)
    page = await given.ledger.dead_letters.list(wanted, limit=limit, cursor=cursor)
    now = utc_now()
    return JSONResponse({"items": [shown(each, now) for each in page.items], "next_cursor": page.next_cursor})


@router.get("/dead-letters/{id_or_vtid}", response_model=told_shapes.DeadLetter)
async def dead_letter(id_or_vtid: Annotated[Text, Path()], given: Given, _: Viewer) -> JSONResponse:
    """One entry, by its id or by the VTID of its run."""
    return JSONResponse(shown(await given.ledger.dead_letters.get(id_or_vtid), utc_now()))


@router.post("/dead-letters/bulk", response_model=told_shapes.Decided)
async def rescue_many(body: BulkRescue, request: Request, given: Given, actor: Operator) -> JSONResponse:
    """The same move for many entries. Each has its own result: what one refuses does not stop the others.

    `matched` is how many there are, `remaining` how many this call left for the next one.
    """
    check_code(body.code)
    if body.move in _FOR_ONE:
        raise Problem("VALIDATION", f"move: {_FOR_ONE[Move(body.move)]}", actual=body.move)
    ids = None if body.ids is None else tuple(body.ids)
    wanted = Wanted("open", body.code, body.stage, body.environment, ids)
    letters, matched = await given.ledger.dead_letters.oldest(wanted, body.limit)
    wish = Wish(body.move, body.reason, rule=body.rule)

    async def decide(letter: DeadLetterRecord) -> tuple[str, Sequence[str]]:
        return await _decide(given, request, actor, letter, wish, dry=body.dry_run)

    decided = await decide_all(letters, decide)
    if not body.dry_run:
        counts = _counts(decided)
        await given.audit(request, actor, "dead_letters.bulk", body.code or "ids", move=body.move, **counts)
    return JSONResponse(
        {
            "dry_run": body.dry_run,
            "move": body.move,
            "code": body.code,
            "matched": matched,
            "remaining": matched - len(letters),
            **_counts(decided),
            "items": [each.shown() for each in decided],
        }
    )


async def _decide(
    given: Services, request: Request, actor: Principal, letter: DeadLetterRecord, wish: Wish, *, dry: bool
) -> tuple[str, Sequence[str]]:
    """Decide about the block that the letter tells of, and no other. Raises Problem."""
    record = await given.ledger.runs.current(letter.vtid)
    decision = plan(record.view, wish, by=actor.name, dry=dry)
    failure = record.view.failure or {}
    if record.run_id != letter.run_id or failure.get("since") != letter.failure.get("since"):
        raise Problem("ILLEGAL_TRANSITION", "the run is blocked anew; see its newer dead letter")
    told = effects(record.view, decision)
    if dry:
        return "would", told
    await carry_out(given, request, actor, record, decision)
    return "done", told


def _counts(decided: list[Decided]) -> dict[str, Any]:
    results = [each.result for each in decided]
    return {name: results.count(name) for name in ("done", "would", "refused", "failed", "not_tried")}
