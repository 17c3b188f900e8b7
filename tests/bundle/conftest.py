"""Results and bundles that several tests look at; none of them changes what it was given."""

from __future__ import annotations

import pytest
import results
from browser import browser

__all__ = ["browser"]


@pytest.fixture(scope="session")
def keys(tmp_path_factory):
    """private, public"""
    return results.keys(tmp_path_factory.mktemp("keys"))


@pytest.fixture(scope="session")
def out(tmp_path_factory):
    """Results in CSV, not under an epsilon; the source lies beside them."""
    return results.made(tmp_path_factory.mktemp("csv"))


@pytest.fixture(scope="session")
def private_out(tmp_path_factory):
    """Results in Parquet, under an epsilon."""
    return results.made(tmp_path_factory.mktemp("parquet"), ".parquet", epsilon=2.0)


@pytest.fixture(scope="session")
def plain(out, keys, tmp_path_factory):
    """An internal bundle with rows in CSV."""
    return results.bundle(out, tmp_path_factory.mktemp("plain") / "bundle", keys[0])


@pytest.fixture(scope="session")
def public(private_out, keys, tmp_path_factory):
    """A public bundle with rows in Parquet and a model, under an epsilon."""
    return results.bundle(private_out, tmp_path_factory.mktemp("public") / "bundle", keys[0], profile="public",
                          model=True, purpose="teaching", recipients=["Kiel hospital"])
