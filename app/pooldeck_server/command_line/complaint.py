"""Why a command ends without having done it: lines for people, and an exit code for scripts.

  0  done
  1  not done: a task failed, nothing was found, a server cannot start
  2  wrong arguments or settings
  3  no server answers
  4  the server refused
130  interrupted
"""

from typing import Final

NOT_DONE: Final = 1
WRONG: Final = 2
UNREACHABLE: Final = 3
REFUSED: Final = 4
INTERRUPTED: Final = 130  # 128 + SIGINT, as shells have it


class Complaint(Exception):  # noqa: N818  (not each is an error of a program)
    """Ends a command.

    Args:
        lines: What to say of it, on standard error; each gets `pooldeck: ` before it.
        exit_code: What the command ends with.
    """

    def __init__(self, *lines: str, exit_code: int = NOT_DONE) -> None:
        super().__init__(*lines)
        self.lines = lines
        self.exit_code = exit_code
