"""The paths of the service, a file per subject."""
