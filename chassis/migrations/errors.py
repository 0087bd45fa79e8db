"""Why a schema could not be brought up to date."""


class MigrationError(Exception):
    """The schema is not up to date; the message names the file or the tool, what is wrong and what to do."""
