"""Judge of systems on recorded requests in people's own words."""
