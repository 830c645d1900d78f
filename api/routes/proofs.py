"""Proof bundles: what an auditor takes home, and the key to hold it against."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field
from starlette.responses import JSONResponse

from api.services import PREFIX, Given, Text, Viewer, VtidPath
from api.shapes import Shape

router = APIRouter(prefix=PREFIX, tags=["proofs"])

RunId = Annotated[
    Text | None,
    Query(max_length=100, description="an earlier run of the task; none: the current or last one"),
]


class Signature(Shape):
    keyid: str = Field(description="SHA-256 of the public key")
    sig: str = Field(description="base64")


class ProofBundle(Shape):
    """A DSSE envelope; `vtid proof verify FILE --key PUBLIC.pem` reads it."""

    payload: str = Field(description="an in-toto Statement about the run, in base64")
    payloadType: str  # noqa: N815 - DSSE's own name
    signatures: list[Signature]


class ProofKey(Shape):
    key_id: str = Field(description="SHA-256 of the public key in DER; signatures name it")
    algorithm: str
    pem: str


@router.get("/runs/{vtid}/proof/bundle", response_model=ProofBundle)
async def show_bundle(vtid: VtidPath, given: Given, _: Viewer, run_id: RunId = None) -> JSONResponse:
    """The signed proof bundle of a run, once it is blocked or over. It says how the run ended."""
    bundle = await given.proofs.bundle(vtid, run_id)
    return JSONResponse(bundle, headers={"Content-Disposition": f'attachment; filename="{vtid}.proof.json"'})


@router.get("/proof-key", response_model=ProofKey)
async def show_proof_key(given: Given, _: Viewer) -> JSONResponse:
    """The public key that verifies what is signed now. Bundles of an earlier key need that key's file."""
    signer = given.proofs.signer
    return JSONResponse({"key_id": signer.key_id, "algorithm": "ed25519", "pem": signer.public_pem})
