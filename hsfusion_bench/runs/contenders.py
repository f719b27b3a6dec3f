"""Methods as a run has them: found and imported once, with their options set."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from hsfusion_bench.__about__ import __version__
from hsfusion_bench.errors import HsbenchError, UsageError
from hsfusion_bench.files import slug
from hsfusion_bench.methods import FunctionMethod, LoadedNetwork, Method, NetworkMethod
from hsfusion_bench.methods.options import options_of, with_options
from hsfusion_bench.registry import Origin, find
from hsfusion_bench.suggest import unknown

Asked: TypeAlias = str | Method | Callable[..., Any]
"""What a run may be asked for: a name, a ``FILE.py:NAME``, a method, or a function of an observation."""


@dataclass(frozen=True)
class Contender:
    """A method of a run.

    Parameters
    ----------
    name, origin
        As records say them.
    method
        With its options; None if it could not be imported.
    error
        Why not.
    loaded
        The method with its weights, where it came so.
    recipe_changes
        Numbers of its recipe that are to be others, see `Recipe.changed`.
    """

    name: str
    origin: Origin
    method: Method | None
    error: HsbenchError | None = None
    loaded: LoadedNetwork | None = None
    recipe_changes: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, asked: Asked, settings: Mapping[str, str] | None = None) -> Contender:
        """Find what is asked for, and set its options.

        Parameters
        ----------
        asked
            A name, a method, or a function.
        settings
            Texts by name of an option, or of a number of a network's recipe.

        Raises
        ------
        UsageError
            If there is no such method or setting, or a text is not a value of it. That a method cannot be imported is
            not raised: `error` holds it, so that the others run.
        """
        if not isinstance(asked, str):
            return cls._own(asked, settings or {})
        entry = find(asked)
        try:
            method = entry.load()
        except HsbenchError as error:
            return cls(entry.name, entry.origin, None, error)
        configured, changes = configure(method, settings or {})
        return cls(entry.name, entry.origin, configured, recipe_changes=changes)

    @classmethod
    def _own(cls, asked: Method | Callable[..., Any], settings: Mapping[str, str]) -> Contender:
        """Take a method or a function that a program made."""
        if isinstance(asked, LoadedNetwork):
            method, changes = configure(asked.method, settings)
            if method != asked.method:
                raise UsageError(f"{asked.card.title} is loaded: options belong to its weights, and cannot be set now")
            return cls(asked.card.name, _origin_of(method), method, loaded=asked, recipe_changes=changes)
        if isinstance(asked, Method):
            method, changes = configure(asked, settings)
            return cls(asked.card.name, _origin_of(method), method, recipe_changes=changes)
        if callable(asked):
            name = getattr(asked, "__name__", type(asked).__name__)
            if settings:
                raise UsageError(f"{name} is a function, which has no settings such as {next(iter(settings))}")
            return cls(name, Origin("file", getattr(asked, "__module__", "") or "", ""), FunctionMethod(asked, name))
        raise UsageError(f"{asked!r} is not a method: give a name, a Method or a function of an observation")


def require_apart(names: Sequence[str]) -> None:
    """Refuse methods of one run whose records would have the same name of a file: one would take the other's place.

    Raises
    ------
    UsageError
        If there are two.
    """
    known: dict[str, str] = {}
    for name in names:
        same = known.setdefault(slug(name), name)
        if same is not name:
            raise UsageError(f"{same} and {name} would be recorded as {slug(name)}: run them apart, or rename one")


def _origin_of(method: Method) -> Origin:
    module = type(method).__module__
    if module.startswith("hsfusion_baselines."):
        return Origin("shipped", "hsfusion-bench", __version__)
    return Origin("file", module, "")


def configure(method: Method, settings: Mapping[str, str]) -> tuple[Method, dict[str, str]]:
    """Set a method's options, and tell them from changes of a network's recipe, which are tried.

    Raises
    ------
    UsageError
        If a setting is neither, or its text is not a value of it.
    """
    options = options_of(method)
    chosen = {name: text for name, text in settings.items() if name in options}
    rest = {name: text for name, text in settings.items() if name not in options}
    if rest and not isinstance(method, NetworkMethod):
        raise UsageError(unknown(f"option of {method.card.name}", next(iter(rest)), options))
    configured = with_options(method, chosen)
    if rest:
        assert isinstance(method, NetworkMethod)
        method.recipe.changed(rest)
    return configured, rest
