"""Real builds of the original and the rewritten Dockerfile, compared."""
