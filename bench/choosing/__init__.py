"""Whether Pooldeck's advice is right, and what following it is worth: `python -m bench.choosing`.

`functions` are of known nature, and `cases` say what is known. `verdicts` gives a server fresh
evidence of each and reads its advice, `gains` measures the throughput in both kinds of pool,
`mixed` runs everything at once against the executors of the stdlib, and `page` writes what was
found into docs/choosing.md. `claims` shows the rules behind the choice, one small measurement each.
"""
