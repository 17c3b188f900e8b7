"""fabrica learns from real tables and fabricates artificial ones with the same mathematics."""

__version__ = "0.1.0"
