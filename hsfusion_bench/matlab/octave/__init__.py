"""Stand-ins for functions of MATLAB that GNU Octave lacks, or has in another sense, and a script needs.

Each is written from MATLAB's public documentation, does only what the scripts ask of it, and takes part only where the
engine fails the test of it. MATLAB never sees them.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

FOLDER = Path(__file__).parent

TESTS: Mapping[str, str] = MappingProxyType(
    {
        "kaiser": "numel(kaiser(3)) == 3",
        "fwind1": "isequal(size(fwind1(ones(3), ones(3, 1))), [3 3])",
        "blockproc": "isequal(blockproc([5 6; 7 8], [1 2], @(block) block.location(1) + sum(block.data)), [12; 17])",
        "cov": "isequal(size(cov([1; 2], [3; 5])), [2 2])",
    }
)
"""By the function's name: an expression that is true in MATLAB, and false or an error where the stand-in is needed."""
