"""A run replays the same: nothing that its code reaches asks the clock, the dice or the machine.

The workflow runs outside the SDK's sandbox, so this test and the replay of stored histories stand in for it.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
REACHED = (*(ROOT / "workflows").glob("*.py"), *(ROOT / "vtid" / "domain").glob("*.py"))
# connection.py is wiring: no run executes it.
FORBIDDEN = {
    "datetime.now", "datetime.utcnow", "datetime.today", "date.today", "time.time", "time.monotonic", "time.sleep",
    "random.random", "random.choice", "random.uniform", "uuid.uuid4", "uuid4", "os.environ", "os.getenv", "open",
    "secrets.token_hex", "asyncio.wait", "asyncio.as_completed", "threading.Thread",
}  # fmt: skip


def names_called(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func)
        if isinstance(node, ast.Attribute):
            yield ast.unparse(node)


def test_no_code_of_a_run_asks_the_clock_the_dice_or_the_machine() -> None:
    found = {f"{path.name}: {name}" for path in REACHED for name in names_called(path) if name in FORBIDDEN}

    assert found == set()


def test_no_run_walks_over_a_set() -> None:
    """The order of a set of strings differs from process to process."""
    walked = [
        f"{path.name}: {ast.unparse(node.iter)}"
        for path in (ROOT / "workflows").glob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.For | ast.comprehension) and isinstance(node.iter, ast.Set | ast.SetComp)
    ]

    assert walked == []
