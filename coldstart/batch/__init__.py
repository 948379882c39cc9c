"""Recommendations for millions of users: table in, table out, in parts that survive a crash."""

from coldstart.batch.plan import Options, Plan
from coldstart.batch.run import run_batch

__all__ = ["Options", "Plan", "run_batch"]
