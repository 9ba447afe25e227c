"""Short-lived private links to files: sealed references, spent by their receipt."""

from __future__ import annotations

import json
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from handlers.routing import Interaction, Place


class FileLinks:
    """Seals who may fetch which file; without keys, links end with the process."""

    lasts = timedelta(minutes=10)

    def __init__(self, keys: Sequence[str]) -> None:
        self._fernet = MultiFernet([Fernet(key) for key in keys] or [Fernet(Fernet.generate_key())])

    def seal(self, interaction: Interaction, now: datetime) -> str:
        """The token of a link to the file that a press asked for."""
        account = [interaction.channel, interaction.tenant, interaction.user]
        sealed = {"account": account, "name": interaction.name, "args": dict(interaction.args), "ticket": secrets.token_urlsafe(12)}
        return self._fernet.encrypt_at_time(json.dumps(sealed).encode(), int(now.timestamp())).decode()

    def open(self, token: str, now: datetime) -> Interaction | None:
        """The interaction that fetches the file; None for an old or foreign token."""
        try:
            text = self._fernet.decrypt_at_time(token.encode(), int(self.lasts.total_seconds()), int(now.timestamp()))
        except (InvalidToken, ValueError):
            return None
        sealed = json.loads(text)
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
