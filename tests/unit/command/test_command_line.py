"""The command line imports only what a command needs, tells errors in two languages, and looks about."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from hub.__main__ import FAMILIES, in_words
from hub.command import doctor, names
from hub.kernel.errors import Code, HubError, Problem
from hub.kernel.settings import read_settings

ROOT = Path(__file__).parents[3]


def hub(*arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "hub", *arguments]
    return subprocess.run(
        command,
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin", **environ},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_command_does_not_import_what_it_does_not_need() -> None:
    code = (
        "import sys; sys.argv=['hub','migrate','--help']; import hub.__main__ as m\n"
        "try: m.main()\n"
        "except SystemExit: pass\n"
        "print([n for n in ('strawberry','starlette','uvicorn','httptools') if n in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert run.stdout.strip().endswith("[]")


def test_help_lists_every_family() -> None:
    run = hub("--help")
    assert run.returncode == 0
    assert all(family in run.stdout for family in FAMILIES)


def test_a_wrong_setting_is_told_in_both_languages_without_its_value() -> None:
    run = hub("migrate", HUB_PORT="seventy-seven")
    assert run.returncode == 1
    assert "HUB_PORT" in run.stderr
    assert "设置" in run.stderr
    assert "setting" in run.stderr
    assert "seventy-seven" not in run.stderr
    assert "Traceback" not in run.stderr


def test_migrating_a_database_needs_its_owner() -> None:
    run = hub("migrate", HUB_DATABASE_URL="postgresql://a:b@127.0.0.1:1/hub")
    assert run.returncode == 1
    assert "HUB_OWNER_DATABASE_URL" in run.stderr


def test_a_command_speaks_to_a_person_only() -> None:
    run = hub("migrate", HUB_OWNER_DATABASE_URL="postgresql://nobody@127.0.0.1:1/hub")
    assert run.returncode == 1
    assert run.stdout == ""
    assert run.stderr.startswith("HUB-412 ")


def test_a_problem_in_words_has_its_number_and_next_step() -> None:
    words = in_words(Problem(Code.DATABASE_NOT_MIGRATED))
    assert words.count("HUB-413") == 2
    assert "hub migrate" in words


def test_a_name_with_a_second_owner_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    owners = {"hub": ["proofless", "hub"], "schema": ["proofless"]}
    monkeypatch.setattr(names, "packages_distributions", lambda: owners)
    with pytest.raises(HubError) as caught:
        names.refuse_occupied_names()
    assert caught.value.problem.code is Code.NAME_OCCUPIED
    assert caught.value.problem.detail["part"] == "hub"


def test_our_own_environment_has_no_second_owner() -> None:
    assert set(packages_distributions())
    names.refuse_occupied_names()


def test_the_doctor_finds_nothing_wrong_here(tmp_path: Path) -> None:
    settings = read_settings({"HUB_DATA": str(tmp_path / "data"), "HUB_PORT": "18399"})
    findings = [check(settings) for check in doctor.CHECKS]
    assert [finding.name for finding in findings if not finding.is_fine and not finding.is_optional] == []


@pytest.mark.parametrize(
    ("check", "environ"),
    [
        (doctor.check_port, {"HUB_HOST": "192.0.2.1"}),
        (doctor.check_database, {"HUB_DATABASE_URL": "postgresql://a:b@127.0.0.1:1/hub"}),
    ],
)
def test_the_doctor_names_what_is_wrong_and_how_to_mend_it(
    check: doctor.Check, environ: dict[str, str]
) -> None:
    finding = check(read_settings(environ))
    assert not finding.is_fine
    assert finding.zh
    assert finding.en
    assert finding.zh in doctor.in_words(finding)


def test_the_doctor_minds_an_open_data_folder(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    assert not doctor.check_data(read_settings({"HUB_DATA": str(tmp_path)})).is_fine
    tmp_path.chmod(0o700)
    assert doctor.check_data(read_settings({"HUB_DATA": str(tmp_path)})).is_fine


def test_the_doctors_exit_code_tells(tmp_path: Path) -> None:
    wrong = hub(
        "doctor", HUB_DATA=str(tmp_path / "data"), HUB_DATABASE_URL="postgresql://a:b@127.0.0.1:1/hub"
    )
    assert wrong.returncode == 1
    assert "WRONG database" in wrong.stdout
