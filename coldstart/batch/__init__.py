"""Offline batch recommendation: a table of users in, Parquet part files of lists out."""

from coldstart.batch.plan import BatchOptions, BatchPlan
from coldstart.batch.run import run_batch

__all__ = ["BatchOptions", "BatchPlan", "run_batch"]
