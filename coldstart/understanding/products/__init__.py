"""Requests in words for catalogs whose titles describe their items, such as a shop's."""
