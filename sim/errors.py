"""What can go wrong, one class per kind of mistake; the message is one line and says how to mend it."""

from __future__ import annotations


class SimtwinError(Exception):
    """Base of every error that is the user's to mend; the CLI prints its one line and exits with `exit_code`."""

    exit_code = 1


class ScenarioError(SimtwinError):
    """A scenario that cannot be read or does not make sense: names file, line, key, value and what is allowed."""

    exit_code = 2


class DatasetError(SimtwinError):
    """A dataset folder that is missing, damaged, or must not be written."""

    exit_code = 3


class Interrupted(SimtwinError):
    """The user stopped a run; says how to go on."""

    exit_code = 130


class ParameterError(SimtwinError, ValueError):
    """A physical parameter outside its domain, from Python code rather than from a scenario file."""

    exit_code = 2
