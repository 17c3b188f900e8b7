"""How a column of tokens looks to a network: what it sees of a token, and what it may say.

A token that stands in an order is seen by waves over its place in the marginal (sines and cosines, as positions are
in "Attention is all you need", 2017) besides an embedding of the piece it lies in; so neighbours look alike from the
first step. What is said about a fine column is a smooth curve over it: the logits are combinations of a few cosines
(an orthogonal series density estimate; Efromovich 1999) and of a lever for each point mass. Five hundred tokens then
cost what thirty do, and none of them can be learned by heart.
"""

from __future__ import annotations

import numpy as np

from fabrica.tokens import Token

__all__ = ["FINE", "basis", "blur", "pieces", "waves"]

FINE = 128  #: an ordered column with more tokens than this is fine: seen and said through waves
HEAVY = 2.0  #: a token this many times heavier than an even share is a point mass to a network


def fine(token: Token) -> bool:
    return token.ordered and token.size > FINE


def masses(token: Token) -> np.ndarray:
    """(K,) whether a token stands for itself: absent, or a point mass."""
    return np.isnan(token.middle) | (token.seen > HEAVY / token.size)


def waves(token: Token, count: int) -> np.ndarray:
    """(K, 2 count) sines and cosines of each token's middle; zeros where it has none.

    >>> from fabrica.block import Coded
    >>> waves(Token.over(Coded("x", 4, np.arange(4), ordered=True), 9), 2).shape
    (4, 4)
    """
    if not token.ordered:
        return np.zeros((token.size, 2 * count))
    angle = np.pi * np.outer(np.nan_to_num(token.middle), np.arange(1, count + 1))
    return np.concatenate([np.sin(angle), np.cos(angle)], 1) * ~np.isnan(token.middle)[:, None]


def pieces(token: Token, count: int) -> np.ndarray:
    """(K,) which of about ``count`` pieces each token lies in; every token its own piece unless the column is fine."""
    if not fine(token):
        return np.arange(token.size)
    place = np.minimum(np.nan_to_num(token.middle) * count, count - 1).astype(np.int64)
    alone = np.where(masses(token), np.arange(token.size) + count, place)
    return np.unique(alone, return_inverse=True)[1].ravel()


def basis(token: Token, count: int) -> np.ndarray | None:
    """(K, m) float32 what the logits of a fine column are combined of: ``count`` cosines, and a lever for each point
    mass. None where the column is not fine: it has a lever for each token."""
    if not fine(token):
        return None
    alone = np.flatnonzero(masses(token))
    levers = np.zeros((token.size, len(alone)), np.float32)
    levers[alone, np.arange(len(alone))] = 1
    return np.concatenate([waves(token, count)[:, count:].astype(np.float32), levers], 1)


def blur(token: Token, width: float) -> np.ndarray | None:
    """(K, K) rows that sum to one: the target of each token, spread a little over its neighbours (a Gaussian kernel of
    ``width`` tokens; Parzen 1962) in an ordered column of many tokens that is not fine; point masses are not spread.
    None where nothing is."""
    if not token.ordered or fine(token) or token.size <= 40 or width <= 0:
        return None
    places, loose = np.arange(token.size), ~masses(token)
    kernel = np.exp(-0.5 * ((places[:, None] - places) / width) ** 2) * loose * loose[:, None]
    kernel[~loose] = np.eye(token.size)[~loose]
    return kernel / kernel.sum(1, keepdims=True)
