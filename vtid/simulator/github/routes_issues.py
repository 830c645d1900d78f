"""Comments and events: on GitHub a pull request is an issue, too."""

from starlette.responses import Response

from vtid.simulator.facts import Comment
from vtid.simulator.github.call import Call, RouteTable, answer, not_found, paged
from vtid.simulator.github.issues import comment_json, event_json


def list_events(call: Call) -> Response:
    number = call.pull.number
    return paged(call, [event_json(call.place, it) for it in call.repository.events if it.issue == number])


def list_comments(call: Call) -> Response:
    number = call.pull.number
    return paged(
        call, [comment_json(call.place, it) for it in call.repository.comments if it.issue == number]
    )


def create_comment(call: Call) -> Response:
    now = call.world.now()
    made = Comment(call.world.next_id(), call.pull.number, call.text("body"), call.login, now, now)
    call.repository.comments.append(made)
    call.changed("comment")
    return answer(call, comment_json(call.place, made), 201)


def find_comment(call: Call) -> Comment:
    number = call.number("id")
    found = next((it for it in call.repository.comments if it.id == number), None)
    if found is None:
        raise not_found()
    return found


def get_comment(call: Call) -> Response:
    return answer(call, comment_json(call.place, find_comment(call)))


def edit_comment(call: Call) -> Response:
    comment = find_comment(call)
    comment.body, comment.updated_at = call.text("body"), call.world.now()
    call.changed("comment_edit")
    return answer(call, comment_json(call.place, comment))


def delete_comment(call: Call) -> Response:
    call.repository.comments.remove(find_comment(call))
    call.changed("comment_delete")
    return Response(status_code=204)


ISSUES = "/repos/{owner}/{repo}/issues"
ROUTES: RouteTable = (
    ("GET", ISSUES + "/comments/{id}", get_comment),
    ("PATCH", ISSUES + "/comments/{id}", edit_comment),
    ("DELETE", ISSUES + "/comments/{id}", delete_comment),
    ("GET", ISSUES + "/{number}/events", list_events),
    ("GET", ISSUES + "/{number}/comments", list_comments),
    ("POST", ISSUES + "/{number}/comments", create_comment),
)
