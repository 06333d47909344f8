"""Registry: name → object, discovered from the modules of one package and from installed plugins (entry points)."""

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
    """Members register with a decorator; the package's modules are imported at the first lookup.

    Plugins add members through entry points; the group is named like the package, `forecaster.models`. An entry point
    names a member, or a module that registers members on import. Plugins are loaded only when a name is not built in
    or when all names are listed. A plugin that fails to import is logged once and raises only when requested by name.

    Args:
        kind: what error messages call a member, such as `model`.
        package: dotted name of the package whose modules define the members.
        group: entry-point group; defaults to `package`.

    Attributes:
        faults: plugins that failed to load: entry point → one-line reason.
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
        """Register a member; re-running a notebook cell replaces the member that the cell defined before.

        Args:
            sentence: one-line description, for members without a docstring of their own.

        Raises:
            ValueError: the name is taken; silently overwriting a member would hide it.
        """
        if name in self._members and not _is_same_definition(self._members[name], member):
            raise ValueError(f"{self.kind} {name!r} is registered twice")
        self._members[name] = member
        self._sentences[name] = sentence
        return member

    def register(self, name: str, sentence: str = "") -> Callable[[T], T]:
        """The decorator form of `add`."""
        return lambda member: self.add(name, member, sentence)

    def sentence(self, name: str) -> str:
        """The description given when the member was registered."""
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
        # Set before the imports, since the imported modules may look names up themselves.
        self._discovered = True
        package = importlib.import_module(self._package)
        for module in pkgutil.iter_modules(package.__path__):
            importlib.import_module(f"{self._package}.{module.name}")

    def _extend(self) -> None:
        self._discover()
        if self._extended:
            return
        self._extended = True
        from importlib.metadata import entry_points  # import and search take 25 ms

        for point in entry_points(group=self._group):
            self._load(point)

    def _load(self, point: EntryPoint) -> None:
        try:
            member = point.load()
            if not isinstance(member, ModuleType):
                self.add(point.name, member)
        except Exception as error:  # a plugin's module can raise anything
            origin = f"{point.dist.name} {point.dist.version}" if point.dist else point.value
            reason = f"{type(error).__name__}: {error}".splitlines()[0].rstrip(".: ")
            fault = f"The {self.kind} {point.name!r} of {origin} cannot be loaded ({reason}): fix or uninstall it."
            self.faults[point.name] = fault
            logging.getLogger("forecaster").warning("warning: %s", fault)


def _is_same_definition(old: Any, new: Any) -> bool:
    """Whether both come from the same definition, executed twice in an interactive session."""
    names = [(getattr(one, "__module__", None), getattr(one, "__qualname__", None)) for one in (old, new)]
    return names[0] == names[1] and names[0][0] == "__main__" and names[0][1] is not None
