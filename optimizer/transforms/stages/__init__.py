"""How a stage on a full image is split into one that builds and one that runs; a module for each language."""
