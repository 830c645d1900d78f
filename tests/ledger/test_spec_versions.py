import pytest

from tests.ledger.builders import SPEC, VTID, approved, task
from vtid.domain.task import spec_hash
from vtid.ledger import Ledger, Unknown


async def test_every_version_is_kept_with_who_wrote_and_who_approved_it(ledger: Ledger) -> None:
    await approved(ledger)
    await ledger.tasks.put_spec(VTID, "# Second", by="carl")

    second, first = await ledger.spec_versions.list(VTID)

    assert (second.version, second.current, second.author, second.state) == (2, True, "carl", "draft")
    assert (first.version, first.current, first.approved_by, first.hash) == (1, False, "bob", spec_hash(SPEC))
    assert (second.characters, first.characters) == (len("# Second"), len(SPEC))


async def test_a_version_has_its_exact_text(ledger: Ledger) -> None:
    await approved(ledger)
    await ledger.tasks.put_spec(VTID, "# Second", by="carl")

    spec, current = await ledger.spec_versions.get(VTID, 1)

    assert (spec.markdown, current) == (SPEC, False)


async def test_older_versions_follow_page_by_page(ledger: Ledger) -> None:
    await task(ledger)
    for number in range(2, 6):
        await ledger.tasks.put_spec(VTID, f"# Version {number}", by="ann")

    first = await ledger.spec_versions.list(VTID, limit=3)
    second = await ledger.spec_versions.list(VTID, before=first[-1].version, limit=3)

    assert [each.version for each in first + second] == [5, 4, 3, 2, 1]


async def test_what_is_not_there_is_named(ledger: Ledger) -> None:
    await task(ledger, markdown=None)

    assert await ledger.spec_versions.list(VTID) == []
    with pytest.raises(Unknown, match="version 1 of the spec"):
        await ledger.spec_versions.get(VTID, 1)
    with pytest.raises(Unknown, match="task VTID-00404"):
        await ledger.spec_versions.list("VTID-00404")
