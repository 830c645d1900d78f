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


def get_contents(call: Call) -> Response:
    """A folder as a list, a file as one entry with its content."""
    ref = call.query("ref", call.repository.default_branch)
    tree, path = call.commit(ref).tree, call.path("path").strip("/")
    if path in tree:
        raw = base64.encodebytes(content_of(tree[path])).decode()
        shown = content_json(call, ref, path, tree[path])
        return answer(call, {**shown, "content": raw, "encoding": "base64"})
    inside = {it: text for it, text in tree.items() if it.startswith(f"{path}/")}
    if not inside:
        raise not_found()
    files = {it: text for it, text in inside.items() if "/" not in it.removeprefix(f"{path}/")}
    folders = {f"{path}/{it.removeprefix(f'{path}/').split('/')[0]}" for it in inside if it not in files}
    listed = {**files, **dict.fromkeys(folders)}
    return answer(call, [content_json(call, ref, it, text) for it, text in sorted(listed.items())])


def content_json(call: Call, ref: str, path: str, text: str | None) -> dict[str, object]:
    """An entry of a folder; text None: a folder in it."""
    place, is_file = call.place, text is not None
    folder_sha = hashlib.sha1(f"{ref}:{path}".encode(), usedforsecurity=False).hexdigest()
    sha = folder_sha if text is None else blob_sha(text)
    url = f"{place.api}/contents/{path}?ref={ref}"
    git_url = f"{place.api}/git/{'blobs' if is_file else 'trees'}/{sha}"
    html_url = f"{place.html}/{'blob' if is_file else 'tree'}/{ref}/{path}"
    return {
        "type": "file" if is_file else "dir",
        "size": 0 if text is None else len(content_of(text)),
        "name": path.rsplit("/", 1)[-1],
        "path": path,
        "sha": sha,
        "url": url,
        "git_url": git_url,
        "html_url": html_url,
        "download_url": f"{place.html}/raw/{ref}/{path}" if is_file else None,
        "_links": {"self": url, "git": git_url, "html": html_url},
    }


def content_of(text: str) -> bytes:
    """Texts of a real git repository that are no UTF-8 travel as surrogate escapes."""
    return text.encode("utf-8", "surrogateescape")


REPO = "/repos/{owner}/{repo}"
ROUTES: RouteTable = (
    ("GET", REPO + "/git/trees/{ref:path}", get_tree),
    ("GET", REPO + "/contents/{path:path}", get_contents),
    ("GET", REPO + "/git/blobs/{sha}", get_blob),
)
