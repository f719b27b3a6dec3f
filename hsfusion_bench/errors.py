"""Errors that are meant for a person: each says what was wrong, where, and what to do."""

from __future__ import annotations


class HsbenchError(Exception):
    """Something the user can mend: a missing file, a wrong shape, a foreign checkpoint.

    The command line prints the message without a traceback and exits with 1.
    """


class MissingDataError(HsbenchError):
    """Scenes of a data set are not here; the message tells how to get them."""


class DamagedError(HsbenchError):
    """A file cannot be read: it is cut short, or its content contradicts itself."""


class DifferentDataError(HsbenchError):
    """A scene is not the one that its name says; nothing is recorded of it under that name."""


class UsageError(HsbenchError):
    """A request that makes no sense as it was put (an unknown name, a scale that does not divide).

    The command line prints the message without a traceback and exits with 2.
    """
