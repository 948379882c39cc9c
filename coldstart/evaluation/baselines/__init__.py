"""Strong, well-known recommenders to be measured against, behind the same ``recommend()``."""
