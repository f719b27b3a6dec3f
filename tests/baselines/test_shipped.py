"""What holds for every method that is shipped."""

from __future__ import annotations

import os
import subprocess
import sys

SCRIPT = """
import importlib, sys
from hsfusion_baselines import METHODS

packages = {target.partition(":")[0].split(".")[1] for target in METHODS.values()}
for name, target in METHODS.items():
    for module in [module for module in sys.modules if module.startswith("hsfusion_baselines.")]:
        del sys.modules[module]
    importlib.import_module(target.partition(":")[0])
    assert "torch" not in sys.modules, f"the card of {name} imports torch"
    imported = {module.split(".")[1] for module in sys.modules if module.startswith("hsfusion_baselines.")}
    others = imported & packages - {target.partition(":")[0].split(".")[1]}
    assert not others, f"{name} imports {others}"
"""


def test_a_method_imports_neither_torch_nor_another_method() -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, env=dict(os.environ))
    assert done.returncode == 0, done.stderr
