"""Log records of an intrusion, or of an ordinary day, for demo, tests and benchmarks. Records only, never behaviour.

    Scenario ──(play)── Records ──(noise)── numbered Records ──(EvtxWriter | JsonlWriter)── files

records.py says what Windows logs for one thing that happens; content/scenarios says what happens. The hosts and
addresses are reserved for documentation, so that no text in these logs can reach anybody.
"""

from douse.simulate.evtx_writer import write_evtx
from douse.simulate.record import Record
from douse.simulate.run import SimulationResult, WrittenFile, scenario_records, simulate

__all__ = ["Record", "SimulationResult", "WrittenFile", "scenario_records", "simulate", "write_evtx"]
