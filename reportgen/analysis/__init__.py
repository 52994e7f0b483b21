"""Frames in, frames and findings out: scores, shapes, and what may be said of them."""
