"""A name → thing table that fills itself from the modules of one package."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from typing import Generic, TypeVar

from forecaster.errors import UnknownNameError

T = TypeVar("T")


class Registry(Generic[T]):
    """Members register by decorator; the package's modules are imported at the first look-up.

    Args:
        kind: what a member is called in an error message, such as `model`.
        package: dotted name of the package whose modules hold the members.
    """

    def __init__(self, kind: str, package: str) -> None:
        self.kind = kind
        self._package = package
        self._members: dict[str, T] = {}
        self._discovered = False

    def add(self, name: str, member: T) -> T:
        """Register one member.

        Raises:
            ValueError: the name is taken: two members of one name would silently hide each other.
        """
        if name in self._members:
            raise ValueError(f"{self.kind} {name!r} is registered twice")
        self._members[name] = member
        return member

    def register(self, name: str) -> Callable[[T], T]:
        """The decorator form of `add`."""
        return lambda member: self.add(name, member)

    def names(self) -> tuple[str, ...]:
        """All members' names, in alphabetical order."""
        self._discover()
        return tuple(sorted(self._members))

    def __getitem__(self, name: str) -> T:
        self._discover()
        if name not in self._members:
            raise UnknownNameError(self.kind, name, self._members)
        return self._members[name]

    def __contains__(self, name: object) -> bool:
        self._discover()
        return name in self._members

    def _discover(self) -> None:
        if self._discovered:
            return
        self._discovered = True
        package = importlib.import_module(self._package)
        for module in pkgutil.iter_modules(package.__path__):
            importlib.import_module(f"{self._package}.{module.name}")
