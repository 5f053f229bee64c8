"""What the layers of an image hold, and what they take."""
