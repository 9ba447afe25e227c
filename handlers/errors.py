"""The one error that is meant for people."""

GONE = "This no longer works: the bot has changed since it was shown. Type “help” to see what you can do."


class Refused(Exception):
    """A polite no: its text is shown to the person as it stands, so it is written in the bot's voice."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text
