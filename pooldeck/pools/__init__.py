"""A pool from outside: slots over worker processes, supervised.

`pool` hands calls out; `crew` names its values; `staff` keeps as many workers as it should have,
with `hiring`, `launching` and `supervisor` for one of them; `reports` takes what workers say, and
`causes` and `blame` what their deaths say.
"""
