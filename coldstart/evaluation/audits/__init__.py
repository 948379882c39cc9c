"""Audits of a trained recommender: counterfactuals, prompt sensitivity, memorization, ledger.

Each module is one audit of a trained recommender and returns plain data; ``report`` lays it out.
"""
