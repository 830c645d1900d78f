"""Paths that are no more. They never did anything that a run does not do better, and no header opens them."""

from fastapi import APIRouter
from starlette.responses import JSONResponse

from api.services import PREFIX

router = APIRouter(prefix=PREFIX, tags=["gateway: gone"])

_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]
_NEW_PATHS = {"workorder": "/api/v1/work-orders/claim", "complete": "/api/v1/work-orders/{order_id}/evidence"}


@router.api_route("/execute/{rest:path}", methods=_METHODS, status_code=410, include_in_schema=False)
@router.api_route("/execute", methods=_METHODS, status_code=410, include_in_schema=False)
async def gone(rest: str = "") -> JSONResponse:
    """Tell the new path."""
    new_path = _NEW_PATHS.get(rest.strip("/").lower(), "/api/v1/runs")
    message = f"this path is gone; use {new_path}"
    told = {
        "ok": False,
        "error": f"GONE: {message}",
        "error_code": "GONE",
        "code": "GONE",
        "message": message,
    }
    return JSONResponse(told | {"new_path": new_path}, 410)
