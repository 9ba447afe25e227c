"""What addresses carry, sealed for one purpose and a time; and short-lived private links to files, spent by their receipt."""

from __future__ import annotations

import json
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from handlers.routing import Interaction, Place


class Seal:
    """Seals bytes into a token for one purpose; without keys, tokens end with the process."""

    def __init__(self, keys: Sequence[str], purpose: str, lasts: timedelta) -> None:
        self._fernet = MultiFernet([Fernet(key) for key in keys] or [Fernet(Fernet.generate_key())])
        self._purpose, self._seconds = f"{purpose}:".encode(), int(lasts.total_seconds())

    def seal(self, content: bytes, now: datetime) -> str:
        """The token, another one each time."""
        return self._fernet.encrypt_at_time(self._purpose + content, int(now.timestamp())).decode()

    def open(self, token: str, now: datetime) -> bytes | None:
        """What was sealed; None for a token that is old, foreign or for something else."""
        try:
            content = self._fernet.decrypt_at_time(token.encode(), self._seconds, int(now.timestamp()))
        except (InvalidToken, ValueError):
            return None
        return content.removeprefix(self._purpose) if content.startswith(self._purpose) else None


class FileLinks:
    """Seals who may fetch which file."""

    lasts = timedelta(minutes=10)

    def __init__(self, keys: Sequence[str]) -> None:
        self._seal = Seal(keys, "file", self.lasts)

    def seal(self, interaction: Interaction, now: datetime) -> str:
        """The token of a link to the file that a press asked for."""
        account = [interaction.channel, interaction.tenant, interaction.user]
        sealed = {"account": account, "name": interaction.name, "args": dict(interaction.args), "ticket": secrets.token_urlsafe(12)}
        return self._seal.seal(json.dumps(sealed).encode(), now)

    def open(self, token: str, now: datetime) -> Interaction | None:
        """The interaction that fetches the file; None for an old or foreign token."""
        content = self._seal.open(token, now)
        if content is None:
            return None
        sealed = json.loads(content)
        channel, tenant, user = sealed["account"]
        return Interaction(
            id=sealed["ticket"],
            ticket=sealed["ticket"],
            channel=channel,
            tenant=tenant,
            user=user,
            place=Place(id="", private=True),
            kind="file",
            name=sealed["name"],
            args=sealed["args"],
        )
