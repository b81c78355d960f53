"""Which migrations are still to apply, and when their history is not to be trusted."""

from __future__ import annotations

import pytest

from hub.kernel.db.migrate import Migration, load_migrations, pending
from hub.kernel.errors import Code, HubError

FIRST = Migration("0001_a.sql", "select 1", "aa")
SECOND = Migration("0002_b.sql", "select 2", "bb")
THIRD = Migration("0003_c.sql", "select 3", "cc")


@pytest.mark.parametrize(
    ("applied", "waiting"),
    [
        ({}, (FIRST, SECOND, THIRD)),
        ({"0001_a.sql": "aa"}, (SECOND, THIRD)),
        ({"0001_a.sql": "aa", "0002_b.sql": "bb", "0003_c.sql": "cc"}, ()),
        (
            {"0001_a.sql": "aa", "0002_b.sql": "bb", "0003_c.sql": "cc", "0004_of_a_later_release.sql": "dd"},
            (),
        ),
    ],
)
def test_what_is_missing_is_applied_in_order(applied: dict[str, str], waiting: tuple[Migration, ...]) -> None:
    assert pending((FIRST, SECOND, THIRD), applied) == waiting


@pytest.mark.parametrize(
    ("applied", "name"),
    [({"0001_a.sql": "changed"}, "0001_a.sql"), ({"0001_a.sql": "aa", "0003_c.sql": "cc"}, "0002_b.sql")],
)
def test_a_changed_or_slipped_in_file_is_refused(applied: dict[str, str], name: str) -> None:
    with pytest.raises(HubError) as caught:
        pending((FIRST, SECOND, THIRD), applied)
    assert caught.value.problem.code is Code.MIGRATION_CHANGED
    assert caught.value.problem.detail["part"] == name


def test_the_migrations_of_this_release_are_numbered_without_gaps() -> None:
    numbers = [int(migration.name[:4]) for migration in load_migrations()]
    assert numbers == list(range(1, len(numbers) + 1))
