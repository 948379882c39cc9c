"""One request or a batch of requests: candidates, scores, filters, ranking, response."""
