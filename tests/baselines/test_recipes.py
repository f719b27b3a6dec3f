"""Every number of every recipe says where it is from."""

from __future__ import annotations

from dataclasses import MISSING, Field, fields
from typing import Any

import pytest

from hsfusion_bench.methods import NetworkMethod
from hsfusion_bench.methods.recipes import Recipe
from hsfusion_bench.registry import entries, find

METHODS = {name: method for name in entries() if isinstance(method := find(name).load(), NetworkMethod)}
RECIPES = [(name, variant) for name, method in METHODS.items() for variant in method.recipes]
#: What a method is, and what is itself about the sources.
UNASKED = {"supervision", "source", "sources"}


def default(each: Field[Any]) -> object:
    return each.default if each.default_factory is MISSING else each.default_factory()


@pytest.mark.parametrize(("name", "variant"), RECIPES)
def test_each_number_that_is_no_default_has_a_source(name: str, variant: str) -> None:
    recipe = METHODS[name].recipes[variant]
    chosen = {each.name for each in fields(Recipe) if getattr(recipe, each.name) != default(each)} - UNASKED
    assert chosen <= recipe.sources.keys()
