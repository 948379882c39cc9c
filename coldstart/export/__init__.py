"""The fine-tuned language model for other engines, checked against the original."""

from coldstart.export.check import Check, ExportError
from coldstart.export.run import Made, Plan, export

__all__ = ["Check", "ExportError", "Made", "Plan", "export"]
