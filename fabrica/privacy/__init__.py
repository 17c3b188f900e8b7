"""Pure mathematics of differential privacy: noise, selection, what they cost, and the ledger in which it is written.

Nothing here looks at a table. A mechanism takes numbers and gives noisy ones; its price is an event; an accountant
turns prices into epsilon and delta. Noise comes of the operating system's secret source and of whole numbers only, so
that no seed and no rounding of floats gives it away (Mironov, "On significance of the least significant bits for
differential privacy", CCS 2012).
"""
