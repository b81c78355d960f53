"""What the master key seals opens only with it, in its place and unchanged; pseudonyms need it too."""

from __future__ import annotations

import base64
import hashlib
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from hub.kernel.crypto.derive import derived_key
from hub.kernel.crypto.envelope import Envelope
from hub.kernel.crypto.master import FILE_NAME, master_key
from hub.kernel.crypto.pseudonym import Pseudonyms
from hub.kernel.errors import Code, HubError

KEY, OTHER = bytes(range(32)), bytes(32)


def code_of(refused: pytest.ExceptionInfo[HubError]) -> Code:
    return refused.value.problem.code


def test_an_envelope_opens_what_it_sealed() -> None:
    sealed = Envelope(KEY).seal(b"secret", b"place")
    assert b"secret" not in sealed
    assert Envelope(KEY).open(sealed, b"place") == b"secret"


def test_the_same_plain_text_is_never_sealed_alike() -> None:
    envelope = Envelope(KEY)
    assert envelope.seal(b"secret", b"place") != envelope.seal(b"secret", b"place")


@pytest.mark.parametrize(("key", "context"), [(OTHER, b"place"), (KEY, b"elsewhere")])
def test_another_key_or_place_opens_nothing(key: bytes, context: bytes) -> None:
    sealed = Envelope(KEY).seal(b"secret", b"place")
    with pytest.raises(HubError) as refused:
        Envelope(key).open(sealed, context)
    assert code_of(refused) is Code.KEY_UNREADABLE


def test_every_changed_byte_and_every_cut_is_noticed() -> None:
    envelope = Envelope(KEY)
    sealed = envelope.seal(b"secret", b"place")
    changed = [sealed[:at] + bytes([sealed[at] ^ 1]) + sealed[at + 1 :] for at in range(len(sealed))]
    for damaged in (*changed, *(sealed[:length] for length in range(len(sealed)))):
        with pytest.raises(HubError) as refused:
            envelope.open(damaged, b"place")
        assert code_of(refused) is Code.KEY_UNREADABLE


def test_uses_and_versions_have_unrelated_keys() -> None:
    keys = {derived_key(KEY, use, version) for use in ("envelope", "pseudonym") for version in (1, 2)}
    assert len(keys) == 4
    assert KEY not in keys


def test_a_pseudonym_is_steady_and_depends_on_key_scheme_and_version() -> None:
    value = "11010519491231002X"
    first = Pseudonyms(KEY).of("111", value)
    assert first == Pseudonyms(KEY).of("111", value)
    assert len(first) == 32
    others = {
        Pseudonyms(OTHER).of("111", value),
        Pseudonyms(KEY, version=2).of("111", value),
        Pseudonyms(KEY).of("001", value),
        hashlib.sha256(value.encode()).digest(),
    }
    assert first not in others
    assert Pseudonyms(KEY, version=2).version == 2


def test_scheme_and_value_cannot_run_into_each_other() -> None:
    assert Pseudonyms(KEY).of("11", "1x") != Pseudonyms(KEY).of("111", "x")


def test_the_setting_is_the_key_and_leaves_no_file(tmp_path: Path) -> None:
    assert master_key(KEY, tmp_path) == KEY
    assert not list(tmp_path.iterdir())


def test_the_first_use_makes_a_file_that_only_the_owner_reads(tmp_path: Path) -> None:
    data = tmp_path / "data"
    key = master_key(None, data)
    assert len(key) == 32
    assert master_key(None, data) == key
    assert [path.name for path in data.iterdir()] == [FILE_NAME]
    assert stat.S_IMODE((data / FILE_NAME).stat().st_mode) == 0o600
    assert base64.b64decode((data / FILE_NAME).read_bytes()) == key


def test_many_starting_together_agree_on_one_key(tmp_path: Path) -> None:
    with ThreadPoolExecutor(16) as starting:
        keys = set(starting.map(lambda _number: master_key(None, tmp_path), range(64)))
    assert len(keys) == 1
    assert [path.name for path in tmp_path.iterdir()] == [FILE_NAME]


@pytest.mark.parametrize("content", ["", "short", base64.b64encode(bytes(31)).decode(), "密" * 20])
def test_a_damaged_key_file_is_refused_and_left_alone(tmp_path: Path, content: str) -> None:
    file = tmp_path / FILE_NAME
    file.write_text(content, "utf-8")
    file.chmod(0o600)
    with pytest.raises(HubError) as refused:
        master_key(None, tmp_path)
    assert code_of(refused) is Code.KEY_UNREADABLE
    assert file.read_text("utf-8") == content


def test_a_key_file_that_others_may_read_is_refused(tmp_path: Path) -> None:
    master_key(None, tmp_path)
    (tmp_path / FILE_NAME).chmod(0o640)
    with pytest.raises(HubError) as refused:
        master_key(None, tmp_path)
    assert code_of(refused) is Code.KEY_UNREADABLE
