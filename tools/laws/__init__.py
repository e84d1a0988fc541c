"""The laws of `lossutils.laws`, tried on the losses of other libraries.

``cases`` says which examples are tried, ``on_torch``, ``on_jax``, ``on_mlx`` and ``on_numpy`` wrap
what each library offers, and ``page`` prints the table and keeps ``appendix/laws.md``.
It runs in an environment of its own: `make laws`.
"""
