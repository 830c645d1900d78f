"""The page's files from memory: read and compressed once, and again as soon as one changes on disk."""

import gzip
import mimetypes
import stat
from dataclasses import dataclass
from email.utils import formatdate
from hashlib import sha256
from pathlib import Path

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.staticfiles import NotModifiedResponse, StaticFiles
from starlette.types import Scope

_LEAST_BYTES = 500  # compressing fewer saves nothing


@dataclass(frozen=True)
class _File:
    stamp: tuple[int, int]  # modified at, size
    text: bytes
    packed: bytes | None
    headers: dict[str, str]


class Files(StaticFiles):
    """A folder, served. The first view asks for forty files at once, which must cost next to nothing."""

    def __init__(self, folder: Path) -> None:
        super().__init__(directory=folder)
        self._kept: dict[str, _File] = {}

    async def get_response(self, path: str, scope: Scope) -> Response:
        """The file, or that the browser has the right one already. Raises HTTPException 404 and 405."""
        if scope["method"] not in ("GET", "HEAD"):
            raise HTTPException(405)
        file = self._file(path)
        asked = Headers(scope=scope)
        packed = file.packed if "gzip" in asked.get("accept-encoding", "") else None
        headers = file.headers if packed is None else file.headers | {"Content-Encoding": "gzip"}
        response = Response(file.text if packed is None else packed, headers=headers)
        return (
            NotModifiedResponse(response.headers)
            if self.is_not_modified(response.headers, asked)
            else response
        )

    def _file(self, path: str) -> _File:
        """As it is on disk at this moment: whoever changes a word and reloads sees it."""
        place, found = self.lookup_path(path)
        if found is None or not stat.S_ISREG(found.st_mode):
            raise HTTPException(404)
        stamp = (found.st_mtime_ns, found.st_size)
        kept = self._kept.get(place)
        if kept is None or kept.stamp != stamp:
            kept = self._kept[place] = _read(Path(place), stamp)
        return kept


def _read(place: Path, stamp: tuple[int, int]) -> _File:
    text = place.read_bytes()
    kind = mimetypes.guess_type(place.name)[0] or "application/octet-stream"
    headers = {
        "Content-Type": f"{kind}; charset=utf-8" if kind.startswith("text/") else kind,
        "ETag": f'"{sha256(text).hexdigest()[:32]}"',
        "Last-Modified": formatdate(stamp[0] / 1e9, usegmt=True),
        "Vary": "Accept-Encoding",
    }
    return _File(stamp, text, gzip.compress(text) if stamp[1] >= _LEAST_BYTES else None, headers)
