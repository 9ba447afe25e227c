"""Settings: every fault at once, and never a secret in what is said."""

import pytest

from bot import settings
from bot.settings import SettingsFaults


def test_all_faults_are_said_at_once_and_no_secret_is_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIH_PORT", "eighty")
    monkeypatch.setenv("DIH_DATABASE_URL", "mysql://root:hunter2@db/dih")
    monkeypatch.setenv("DIH_SECRET_KEYS", "not-a-key-hunter2")
    with pytest.raises(SettingsFaults) as raised:
        settings.load()
    assert [fault.partition(":")[0] for fault in raised.value.faults] == ["DIH_DATABASE_URL", "DIH_PORT", "DIH_SECRET_KEYS"]
    assert "hunter2" not in str(raised.value)
