"""A web back end for browsers, and a service behind it; both are FastAPI."""
