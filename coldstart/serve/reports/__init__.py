"""Reports for the operator: requests, results, traffic, catalog and artifacts of one service."""
