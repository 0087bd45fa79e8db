"""The two kinds of failure that a handler may name; every other exception counts as transient."""


class NeverRetry(Exception):  # noqa: N818 - named after the decision that it carries
    """The record itself is wrong: trying again cannot help, so it goes to the dead letters.

    `code` is a stable UPPER_SNAKE word that stands in docs/errors.md; `message` says what is wrong
    and what to do, and never holds people's text.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


class Crash(Exception):  # noqa: N818 - named after the decision that it carries
    """This process is wrong, not the record: stop it and commit nothing, so that another one does the work."""
