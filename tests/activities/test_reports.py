"""A report is written part by part, and no part holds up another."""

import pytest
from temporalio.testing import ActivityEnvironment

from activities.reports import Reports
from tests.activities.looking import last_try, try_of
from tests.workflows.world import HEAD, MERGED, REPOSITORY, GitHub
from vtid.domain.commands.reports import DeploymentNote, Report, Reported
from vtid.domain.errors import Denied, Unavailable
from vtid.domain.notice import Conclusion, Notice

NOTICE = Notice("VTID-01227", "validated", Conclusion.SUCCESS, "13 rules")


def note(*, proven: bool = True) -> DeploymentNote:
    return DeploymentNote("dev", MERGED, proven, "could not be asked", "https://page")


def reported(github: GitHub, env: ActivityEnvironment, *, proven: bool = True) -> Reported:
    command = Report("VTID-01227", REPOSITORY, 7, HEAD, NOTICE, note(proven=proven))
    return env.run(Reports(github).report, command)


@pytest.mark.parametrize("proven", [True, False])
def test_github_is_told_how_the_deployment_and_the_run_stand(proven: bool) -> None:
    github = GitHub()

    told = reported(github, try_of(), proven=proven)

    assert github.reports == [proven]
    assert (github.checked, github.commented) == ([(HEAD, NOTICE)], [NOTICE])
    assert told.failed == ()


def test_what_is_refused_is_a_result_beside_what_was_written() -> None:
    github = GitHub(deaf=Denied("GITHUB", "may not write"))

    told = reported(github, try_of())

    assert told.deployment == "https://github.test/deployment/1"
    assert told.failed == (("check", "may not write"), ("comment", "may not write"))


def test_a_github_that_is_away_is_asked_again_until_the_last_try() -> None:
    github = GitHub(deaf=Unavailable("GITHUB", "away"))

    with pytest.raises(Unavailable):
        reported(github, try_of())

    assert reported(github, last_try()).failed == (("check", "away"), ("comment", "away"))
