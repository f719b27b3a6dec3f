"""What the jobs of a study run on: this process, processes of this machine, Dask, or jobs of SLURM.

A job is a function that writes what it computes by itself, whole or not at all, and so may be run twice: when the
process that runs it dies, it is run again elsewhere, and what it returns is small.
"""

from hsfusion_bench.studies.engines.connecting import connect as connect
from hsfusion_bench.studies.engines.contract import Engine as Engine
from hsfusion_bench.studies.engines.contract import Needs as Needs
from hsfusion_bench.studies.engines.contract import serial as serial
from hsfusion_bench.studies.engines.local import local as local

__all__ = ["Engine", "Needs", "connect", "local", "serial"]
