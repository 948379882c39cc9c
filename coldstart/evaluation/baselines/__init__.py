"""Baselines behind the same ``recommend()``, each registered by one ``Baseline`` object."""
