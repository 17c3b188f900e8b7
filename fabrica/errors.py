"""What can go wrong, as a small tree, so that every error can help with the next step.

An error has three parts: what is wrong, where it is (file, line, column), and what to do. None of them
ever carries a value of a real cell: a log or a screenshot of an error must be safe to send to anybody.
"""

from __future__ import annotations

__all__ = [
    "FabricaError",
    "InputError",
    "SchemaError",
    "SettingError",
    "ExpressionError",
    "UnknownName",
    "ModelFileError",
    "OutputError",
    "NotComputable",
    "Interrupted",
]

STOPPED = "stopped; no half-written file is left"  #: what ``Interrupted`` says unless somebody knows better


class FabricaError(Exception):
    """The root: catch this to catch everything that fabrica raises on purpose.

    >>> str(FabricaError("the file is empty", where="people.csv", hint="export it again"))
    'people.csv: the file is empty; export it again'
    """

    exit_code = 2

    def __init__(self, what: str, *, where: str | None = None, hint: str | None = None):
        self.what, self.where, self.hint = what, where, hint
        super().__init__(what)

    def __str__(self) -> str:
        text = f"{self.where}: {self.what}" if self.where else self.what
        return f"{text}; {self.hint}" if self.hint else text

    def at(self, where: str) -> FabricaError:
        """The same error with its place, for the caller who knows the file or the column."""
        return type(self)(self.what, where=where if self.where is None else f"{where}, {self.where}", hint=self.hint)


class InputError(FabricaError):
    """A file or a table cannot be read as data."""


class SchemaError(FabricaError):
    """A schema contradicts itself or the data."""


class SettingError(FabricaError):
    """A setting has the wrong type or is out of its range."""


class ExpressionError(FabricaError):
    """A condition or a rule cannot be understood, or does not fit the table."""


class ModelFileError(FabricaError):
    """A model file is damaged, hostile or of another version."""


class OutputError(FabricaError):
    """A result cannot be written."""


class NotComputable(FabricaError):
    """A number has no meaning on this data (a correlation of a constant); the report says so."""


class BudgetSpent(FabricaError):
    """A measurement would cost more privacy than is left; nothing was looked at."""


class PluginError(FabricaError):
    """A plugin cannot be imported, or is not what its family asks for."""


class Interrupted(FabricaError):
    """The user stopped the run (Ctrl-C) or its budget ran out before there was a result."""

    exit_code = 130


class UnknownName(FabricaError):
    """A name that is not there, answered with those that are.

    >>> str(UnknownName("engine", "ctgn", ["independent", "trees"]))
    "no engine named 'ctgn'; there are: independent, trees"
    >>> str(UnknownName("column", "Risk", ["age", "risk"]))
    "no column named 'Risk'; did you mean 'risk'? there are: age, risk"
    """

    def __init__(self, family: str, name: str, known: list[str] | None = None, *, where: str | None = None):
        self.family, self.name, self.known = family, name, sorted(known or [])
        told = [f'"{one}"' if "," in one or one != one.strip() else one for one in self.known]
        hint = f"there are: {', '.join(told)}" if told else None
        same = next((one for one in self.known if one.lower() == name.lower()), None)
        hint = f"did you mean {same!r}? {hint}" if same else hint
        super().__init__(f"no {family} named {name!r}", where=where, hint=hint)

    def at(self, where: str) -> UnknownName:
        place = where if self.where is None else f"{where}, {self.where}"
        return UnknownName(self.family, self.name, self.known, where=place)
