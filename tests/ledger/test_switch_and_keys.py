from datetime import UTC, datetime, timedelta

import pytest

from vtid.ledger import Ledger, Refusal, Unknown


async def test_a_new_ledger_is_armed(ledger: Ledger) -> None:
    assert (await ledger.switch.read()).armed
    assert (await ledger.journal.read_armed()).armed


async def test_the_emergency_stop_is_told_only_when_it_changes(ledger: Ledger) -> None:
    await ledger.switch.arm(by="ann")
    await ledger.switch.disarm(reason="bad deploys", by="ann")
    await ledger.switch.disarm(reason="another reason", by="bob")
    stopped = await ledger.switch.read()
    await ledger.switch.arm(by="bob")

    assert (stopped.armed, stopped.reason, stopped.by) == (False, "bad deploys", "ann")
    assert [each.type for each in await ledger.events.read()] == ["system.disarmed", "system.armed"]


async def test_a_key_is_found_by_its_secret_and_by_nothing_else(ledger: Ledger) -> None:
    secret = await ledger.keys.create(name="ci", role="operator")

    found = await ledger.keys.find(secret)

    assert found is not None
    assert (found.name, found.role) == ("ci", "operator")
    assert await ledger.keys.find(secret + "x") is None
    (listed,) = await ledger.keys.list()
    assert listed.last_used_at is not None
    assert secret not in repr(listed)


async def test_an_expired_or_revoked_key_opens_nothing(ledger: Ledger) -> None:
    past = datetime.now(UTC) - timedelta(seconds=1)
    await ledger.keys.create(name="old", role="admin", expires_at=past, secret="old")
    await ledger.keys.create(name="gone", role="admin", secret="gone")
    await ledger.keys.revoke("gone")

    assert await ledger.keys.find("old") is None
    assert await ledger.keys.find("gone") is None
    with pytest.raises(Unknown):
        await ledger.keys.revoke("gone")


async def test_a_key_name_is_used_once(ledger: Ledger) -> None:
    await ledger.keys.create(name="ci", role="viewer")

    with pytest.raises(Refusal, match="exists already"):
        await ledger.keys.create(name="ci", role="admin")


async def test_the_audit_tells_who_did_what(ledger: Ledger) -> None:
    for n in range(3):
        await ledger.audit.record(
            who="ann", role="operator", verb="start", target=f"VTID-{n}", detail={"n": n}, request_id="r"
        )

    newest = await ledger.audit.list(who="ann", limit=2)
    older = await ledger.audit.list(before=newest[-1].id)

    assert [entry.target for entry in [*newest, *older]] == ["VTID-2", "VTID-1", "VTID-0"]
    assert (await ledger.audit.list(target="VTID-1"))[0].detail == {"n": 1}
