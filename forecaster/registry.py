"""A name → thing table that fills itself from the modules of one package, and from what others have installed."""

from __future__ import annotations

import importlib
import logging
import pkgutil
from collections.abc import Callable
from types import ModuleType
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from forecaster.errors import InputError, UnknownNameError

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

T = TypeVar("T")


class Registry(Generic[T]):
    """Members register by decorator; all that there is to import is imported at the first look-up.

    Distributions of others add members by entry points of the group named like the package, `forecaster.models`: each
    names a member, or a module that registers some by itself. They are looked for when a name is none of our own, or
    when all names are asked for. One that cannot be loaded is told of on the log, in one line, and stands in the way
    of nobody who does not ask for it.

    Args:
        kind: what a member is called in an error message, such as `model`.
        package: dotted name of the package whose modules hold the members.
        group: of the entry points; the package's name without it.

    Attributes:
        faults: what could not be loaded: entry point → the reason, in one line.
    """

    def __init__(self, kind: str, package: str, group: str = "") -> None:
        self.kind = kind
        self.faults: dict[str, str] = {}
        self._package = package
        self._group = group or package
        self._members: dict[str, T] = {}
        self._sentences: dict[str, str] = {}
        self._discovered = self._extended = False

    def add(self, name: str, member: T, sentence: str = "") -> T:
        """Register one member; a notebook's cell that runs again puts its new member in the old one's place.

        Args:
            sentence: what it is, for whom a docstring of its own does not say it.

        Raises:
            ValueError: the name is taken: two members of one name would silently hide each other.
        """
        if name in self._members and not _defined_again(self._members[name], member):
            raise ValueError(f"{self.kind} {name!r} is registered twice")
        self._members[name] = member
        self._sentences[name] = sentence
        return member

    def register(self, name: str, sentence: str = "") -> Callable[[T], T]:
        """The decorator form of `add`."""
        return lambda member: self.add(name, member, sentence)

    def sentence(self, name: str) -> str:
        """What was said of a member when it was registered."""
        return self._sentences.get(name, "") if name in self else ""

    def names(self) -> tuple[str, ...]:
        """All members' names, in alphabetical order."""
        self._extend()
        return tuple(sorted(self._members))

    def __getitem__(self, name: str) -> T:
        if name not in self and name in self.faults:
            raise InputError(self.faults[name])
        if name not in self._members:
            raise UnknownNameError(self.kind, name, self._members)
        return self._members[name]

    def __contains__(self, name: object) -> bool:
        self._discover()
        if name not in self._members:
            self._extend()
        return name in self._members

    def _discover(self) -> None:
        if self._discovered:
            return
        self._discovered = True
        package = importlib.import_module(self._package)
        for module in pkgutil.iter_modules(package.__path__):
            importlib.import_module(f"{self._package}.{module.name}")

    def _extend(self) -> None:
        self._discover()
        if self._extended:
            return
        self._extended = True
        from importlib.metadata import entry_points  # with its search a fortieth of a second

        for point in entry_points(group=self._group):
            self._take(point)

    def _take(self, point: EntryPoint) -> None:
        try:
            member = point.load()
            if not isinstance(member, ModuleType):
                self.add(point.name, member)
        except Exception as error:  # whatever somebody else's module does
            origin = f"{point.dist.name} {point.dist.version}" if point.dist else point.value
            reason = f"{type(error).__name__}: {error}".splitlines()[0].rstrip(".: ")
            fault = f"The {self.kind} {point.name!r} of {origin} cannot be loaded ({reason}): mend or uninstall it."
            self.faults[point.name] = fault
            logging.getLogger("forecaster").warning("warning: %s", fault)


def _defined_again(old: Any, new: Any) -> bool:
    """Whether two members are one definition, run twice in an interactive session."""
    names = [(getattr(one, "__module__", None), getattr(one, "__qualname__", None)) for one in (old, new)]
    return names[0] == names[1] and names[0][0] == "__main__" and names[0][1] is not None
