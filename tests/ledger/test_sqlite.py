"""A new SQLite file may be opened by several programs in the same moment."""

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from vtid.ledger.sqlite import write_ahead

PROGRAMS = 4
FILES = 150  # without waiting, a few of them meet "database is locked"


def test_programs_that_open_a_new_file_together_wait_for_each_other(tmp_path: Path) -> None:
    together = Barrier(PROGRAMS)

    def open_it(number: int) -> str:
        together.wait()
        connection = sqlite3.connect(tmp_path / f"{number}.db", timeout=6, isolation_level=None)
        try:
            write_ahead(connection, 6)
            return str(connection.execute("PRAGMA journal_mode").fetchone()[0])
        finally:
            connection.close()

    with ThreadPoolExecutor(PROGRAMS) as programs:
        for number in range(FILES):
            assert set(programs.map(open_it, [number] * PROGRAMS)) == {"wal"}


def test_a_file_that_stays_locked_is_told_in_time(tmp_path: Path) -> None:
    holder = sqlite3.connect(tmp_path / "held.db", isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    other = sqlite3.connect(tmp_path / "held.db", timeout=0, isolation_level=None)

    with pytest.raises(sqlite3.OperationalError, match="locked"):
        write_ahead(other, 0.05)

    other.close()
    holder.close()
