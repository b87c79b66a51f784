"""The double of a server for tests of one's own code: tasks run in the process that submits them.

It is a real implementation of what a client talks to, not a patch of it. Submissions are read and
checked by the server's own code, arguments and results make the way through JSON, exceptions come
back as data. What it does not have is what needs processes: timeouts, kills, crashes.

`functions` finds what can be called, `running` makes one attempt, `engine` decides what runs when,
`client` is the face to it.
"""
