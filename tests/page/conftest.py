"""What the tests of the page share: a browser."""

from browser import browser

__all__ = ["browser"]
