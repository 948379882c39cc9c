"""HTTP service: REST API, onboarding page and session store (extra ``serve``)."""
