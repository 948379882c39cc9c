"""Export of the fine-tuned language model to other engines, verified against the original."""

from coldstart.export.check import Check, ExportError
from coldstart.export.run import ExportedModel, ExportPlan, export

__all__ = ["Check", "ExportError", "ExportPlan", "ExportedModel", "export"]
