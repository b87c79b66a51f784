"""Anything at all, sent to a real server: whatever comes, it answers as it says and goes on serving.

A trial makes requests by chance and returns what is wrong with the answers, as lines of text. The
tests give each a few examples from a fixed seed, `make test-all` more of them, `make fuzz` fresh
seeds for as long as one likes.

| trial | sends |
| --- | --- |
| `documented.py` | calls that fit the OpenAPI document and calls that nearly do, with the token and without |
| `routes.py` | odd paths, queries, headers, cookies, forms and bodies, to each route that the app has |
| `large.py` | bodies as large as they may be and larger, made of what is dear to read |
| `wire.py` | bytes that are no HTTP, or nearly: framing, pipelines, huge numbers, cut off and mixed up |

`vitals.py` watches the server meanwhile: whether `/healthz` waits, and what memory is kept.
"""  # noqa: E501 - a table
