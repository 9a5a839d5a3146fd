"""Figures of speed and memory: seeded, one module a figure, JSON lines out."""
