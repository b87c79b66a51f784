"""A pool from outside: slots over worker processes, supervised.

`port` is what others may ask of a pool, `listener` what it tells, `pool` hands calls out; `roster`
keeps as many workers as it should have, with `factory`, `launcher` and `supervisor` for one of
them; `reports` takes what workers say, and `exit_cause` and `blame` what their deaths say.
"""
