"""`limits:` of an environment: which numbers of the table of limits it replaces."""

from dataclasses import replace
from datetime import timedelta
from typing import Annotated, Any, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ModelWrapValidatorHandler,
    PrivateAttr,
    WithJsonSchema,
    model_validator,
)

from vtid.configuration.durations import ALLOWED, Duration, parse_duration
from vtid.configuration.settings import closest
from vtid.domain.limits import FOREVER, LIMITS, Lane, Limit

MOST_TRIES = 1_000


def _known(name: str) -> str:
    if name not in LIMITS:
        raise ValueError(f"no limit has this name{closest(name, list(LIMITS))}; allowed: {', '.join(LIMITS)}")
    return name


LimitName = Annotated[str, AfterValidator(_known), WithJsonSchema({"type": "string", "enum": list(LIMITS)})]


class LimitOverride(BaseModel):
    """One row of overrides: some of its numbers, or one value for the bound that people think of first."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    one_try: Duration | None = None
    budget: Duration | None = None
    tries: Annotated[int, Field(strict=True, ge=FOREVER, le=MOST_TRIES)] | None = None
    heartbeat: Duration | None = None
    back_off: Annotated[list[Duration], Field(min_length=1, max_length=20)] | None = None

    _whole: Any = PrivateAttr(None)

    @model_validator(mode="wrap")
    @classmethod
    def _or_one_value(cls, value: Any, build: ModelWrapValidatorHandler[Self]) -> Self:
        if isinstance(value, dict | LimitOverride):
            return build(value)
        override = cls()
        override._whole = value
        return override


def overridden(name: str, override: LimitOverride) -> Limit:
    """The row of this name with the override applied. Raises ValueError when the numbers contradict."""
    row = LIMITS[name]
    limit = _parts(row, override) if override._whole is None else _by_one_value(row, override._whole)
    _check(row, limit)
    return limit


def _by_one_value(row: Limit, value: object) -> Limit:
    """The budget where the row has one, else the one try; the other bounds shrink to fit into it."""
    if row.one_try is None and row.budget is None:
        if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= MOST_TRIES:
            raise ValueError(f"this limit counts: expected a whole number from 1 to {MOST_TRIES}")
        return replace(row, tries=value)
    if not isinstance(value, int | float | str):
        raise ValueError(f"expected {ALLOWED}, or a mapping of {', '.join(LimitOverride.model_fields)}")
    bound = parse_duration(value)
    if row.budget is None:
        return replace(row, one_try=bound)
    # Where a single try is the whole budget (a lease, a blocked run) the two stay one number.
    one_try = bound if row.one_try == row.budget else _at_most(row.one_try, bound)
    return replace(
        row, budget=bound, one_try=one_try, back_off=tuple(min(pause, bound) for pause in row.back_off)
    )


def _at_most(value: timedelta | None, bound: timedelta) -> timedelta | None:
    return None if value is None else min(value, bound)


def _parts(row: Limit, override: LimitOverride) -> Limit:
    given: dict[str, Any] = {
        name: getattr(override, name)
        for name in override.model_fields_set
        if getattr(override, name) is not None
    }
    counts = row.tries != FOREVER or row.lane is not Lane.TIMER
    for name in given:
        if not (counts if name == "tries" else getattr(row, name)):
            raise ValueError(f"this limit has no {name}")
    if "back_off" in given:
        given["back_off"] = tuple(given["back_off"])
    return replace(row, **given)


def _check(row: Limit, limit: Limit) -> None:
    if row.tries != FOREVER and limit.tries == FOREVER:
        raise ValueError("tries must be at least 1 here")
    if row.tries == 1 and limit.tries != 1:
        raise ValueError("tries must stay 1 here: this is never tried again by itself")
    bounds = {
        "one_try": limit.one_try,
        "heartbeat": limit.heartbeat,
        "back_off": max(limit.back_off, default=None),
    }
    for name, value in bounds.items():
        if value is not None and limit.budget is not None and value > limit.budget:
            raise ValueError(f"{name} ({value}) must not be longer than the budget ({limit.budget})")
    if limit.heartbeat is not None and limit.budget is not None and limit.heartbeat >= limit.budget:
        raise ValueError(f"heartbeat ({limit.heartbeat}) must be shorter than the budget ({limit.budget})")
