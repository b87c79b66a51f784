"""What is raised where settings cannot be used."""


class BadSettings(Exception):  # noqa: N818  (a condition as the caller sees it)
    """The settings cannot be used; `problems` has a line for each that is wrong."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems
