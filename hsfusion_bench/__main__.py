"""``python -m hsfusion_bench`` is ``hsbench``."""

from hsfusion_bench.cli import main

main(prog_name="hsbench")
