"""The conversation on a pull request: comments and events."""

from typing import Any

from vtid.simulator.facts import Comment, IssueEvent
from vtid.simulator.github.people import BOT, user_json
from vtid.simulator.github.urls import Place, node_id
from vtid.simulator.schedule import moment


def comment_json(place: Place, comment: Comment) -> dict[str, Any]:
    return {
        "id": comment.id,
        "node_id": node_id("IC", comment.id),
        "url": f"{place.api}/issues/comments/{comment.id}",
        "body": comment.body,
        "html_url": f"{place.html}/pull/{comment.issue}#issuecomment-{comment.id}",
        "user": user_json(place, comment.author),
        "created_at": moment(comment.created_at),
        "updated_at": moment(comment.updated_at),
        "issue_url": f"{place.api}/issues/{comment.issue}",
        "author_association": "MEMBER",
    }


def event_json(place: Place, event: IssueEvent) -> dict[str, Any]:
    return {
        "id": event.id,
        "node_id": node_id("IE", event.id),
        "url": f"{place.api}/issues/events/{event.id}",
        "actor": user_json(place, BOT),
        "event": event.event,
        "commit_id": event.commit_id,
        "commit_url": f"{place.api}/commits/{event.commit_id}" if event.commit_id else None,
        "created_at": moment(event.at),
    }
