"""Multi-tenancy: many recommenders that share base models."""
