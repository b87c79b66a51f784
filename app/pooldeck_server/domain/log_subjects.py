"""What a line of the server's own log is about, beside its words: for programs that read it."""


def about(**subject: object) -> dict[str, object]:
    """Return the `extra` of a logging call: its subjects, such as `pool` and `task`, but for None.

    Lines of one logger with the same words about the same pool, function and module are of one
    kind: where they come in a flood, they are counted together.
    """
    return {"about": {name: value for name, value in subject.items() if value is not None}}
