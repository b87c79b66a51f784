"""`pooldeck doctor`: says what is wrong with an installation, and how to mend it.

It looks, beside a running server or without one, and changes nothing: no file is made, no lock is
taken, no schema is brought up to date.

0  all is well
1  there is something to look at
2  something is wrong; or wrong arguments
"""
