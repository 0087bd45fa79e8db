"""What ends a command with a message instead of a traceback."""


class CommandError(Exception):
    """Its text tells the user what is wrong and what to do; `exit_code` is 1 unless said otherwise."""

    def __init__(self, message: str, exit_code: int = 1) -> None:
        super().__init__(message)
        self.exit_code = exit_code
