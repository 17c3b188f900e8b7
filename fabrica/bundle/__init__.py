"""A release as a folder that a stranger can check: the data, what was measured, who answers for it, and one signature
over every byte of it.

in-toto Statement v1 in a DSSE envelope, signed with Ed25519 (RFC 8032). ``write`` makes a bundle, ``verify`` reads one
and reckons again what can be reckoned; ``standalone.py`` and ``templates/verify.html`` do the same for whoever has no
fabrica. The room is not called ``release``: that is the verb, ``fabrica.release``.
"""
