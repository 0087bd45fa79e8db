"""What can go wrong with the local stack, each told with what to do about it."""


class StackError(Exception):
    """The local stack cannot do what was asked; the message says why and what to do."""


class StackInUseError(StackError):
    """Another process runs a stack on the same folder."""


class ServerStartError(StackError):
    """A server ended, or did not answer, within its deadline; the message ends with its log."""


class NotOurServerError(StackError):
    """A control (start, stop, kill) was used on a server that this stack only points at."""


class JarError(StackError):
    """A jar of Kafka's class path is missing, damaged or of a version that the lock does not name."""
