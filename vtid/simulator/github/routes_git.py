"""Git's own objects: the tree of a commit, and its files."""

import base64
import hashlib

from starlette.responses import Response

from vtid.simulator.github.call import Call, RouteTable, answer, not_found
from vtid.simulator.github.urls import node_id
from vtid.simulator.history import blob_sha


def get_tree(call: Call) -> Response:
    """Whole (`recursive`), or its first level. Never cut off: our trees are small."""
    commit = call.commit(call.path("ref"))
    recursive = bool(call.query("recursive"))
    entries = [
        entry(call, path, text) for path, text in sorted(commit.tree.items()) if recursive or "/" not in path
    ]
    folders = {path.rsplit("/", depth)[0] for path in commit.tree for depth in range(1, path.count("/") + 1)}
    for folder in sorted(folders):
        if recursive or "/" not in folder:
            sha = hashlib.sha1(f"{commit.sha}:{folder}".encode(), usedforsecurity=False).hexdigest()
            url = f"{call.place.api}/git/trees/{sha}"
            entries.append({"path": folder, "mode": "040000", "type": "tree", "sha": sha, "url": url})
    url = f"{call.place.api}/git/trees/{commit.tree_sha}"
    tree = sorted(entries, key=lambda each: str(each["path"]))
    return answer(call, {"sha": commit.tree_sha, "url": url, "tree": tree, "truncated": False})


def entry(call: Call, path: str, text: str) -> dict[str, object]:
    sha = blob_sha(text)
    url = f"{call.place.api}/git/blobs/{sha}"
    size = len(content_of(text))
    return {"path": path, "mode": "100644", "type": "blob", "sha": sha, "size": size, "url": url}


def get_blob(call: Call) -> Response:
    sha = call.path("sha")
    texts = (text for commit in call.repository.history.commits.values() for text in commit.tree.values())
    text = next((each for each in texts if blob_sha(each) == sha), None)
    if text is None:
        raise not_found()
    content = base64.encodebytes(content_of(text)).decode()
    return answer(
        call,
        {
            "sha": sha,
            "node_id": node_id("B", sha),
            "size": len(content_of(text)),
            "url": f"{call.place.api}/git/blobs/{sha}",
            "content": content,
            "encoding": "base64",
        },
    )


def content_of(text: str) -> bytes:
    """Texts of a real git repository that are no UTF-8 travel as surrogate escapes."""
    return text.encode("utf-8", "surrogateescape")


REPO = "/repos/{owner}/{repo}"
ROUTES: RouteTable = (
    ("GET", REPO + "/git/trees/{ref:path}", get_tree),
    ("GET", REPO + "/git/blobs/{sha}", get_blob),
)
