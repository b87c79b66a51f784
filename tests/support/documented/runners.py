"""Who runs the examples of README.md and docs/, or why one is not run.

Blocks of TOML, JSON and YAML are read and blocks of Python are imported by themselves, by
`tests/project/test_examples_of_docs.py`, unless a row here says otherwise. All others need a row.
"""

from typing import Final

from msgspec import Struct

from tests.support.documented.blocks import Block

ITSELF: Final = {"python", "toml", "json", "yaml"}
"""What is run without a row."""

_COMMANDS: Final = "tests/project/test_commands_of_docs.py::"


class Row(Struct, frozen=True):
    """Some blocks of a document: all of a language, or those that begin so.

    `by` is the test that runs them; where there is none, `why` says why.
    """

    document: str
    language: str
    begins: str = ""
    by: str = ""
    why: str = ""

    def is_about(self, block: Block) -> bool:
        is_there = (block.document, block.language) == (self.document, self.language)
        return is_there and block.text.startswith(self.begins)


_README: Final = _COMMANDS + "test_the_commands_of_the_readme_say_what_it_shows"
_DOCS: Final = _COMMANDS + "test_the_commands_of_a_page_say_what_it_shows"
_OPERATIONS: Final = _COMMANDS + "test_the_commands_for_operations_say_what_is_shown"
_JOBS: Final = "tests/project/test_docs.py::test_the_first_functions_of_the_readme_run"
_INIT: Final = (
    "tests/pooldeck_server/project/test_init.py::"
    "test_a_project_is_served_and_its_functions_run_in_their_pools"
)
_OPEN: Final = "tests/pooldeck_server/remote/test_opening.py::test_a_page_is_named_by_what_it_shows"
_TUTORIAL: Final = "tests/project/test_tutorial.py::test_the_commands_of_a_page_say_what_it_shows"
_CLAIMS: Final = "tests/project/test_choosing.py::test_claims_are_shown_by_name"
_EXECUTOR: Final = (
    "tests/pooldeck/embedded/test_programs.py::test_the_example_of_the_documents_runs"
)
_MOVES: Final = (
    "tests/pooldeck_server/domain/tasks/test_states.py"
    "::test_the_moves_are_those_of_the_architecture_page"
)
_TUNE: Final = (
    "tests/pooldeck_server/web/api/test_experiments.py"
    "::test_the_command_prints_the_table_and_ends_with_the_conclusion"
)
_PROXIES: Final = "tests/served/test_proxies.py::test_the_stream_is_live"
_CLIENT: Final = "tests/project/test_client_page.py::test_an_example_prints_what_stands_below_it"
_PLACES: Final = (
    "tests/pooldeck/client/test_places.py::test_a_token_file_stands_beside_the_profiles"
)
_COOKBOOK: Final = "tests/project/test_cookbook.py::"
_RECIPE: Final = _COOKBOOK + "test_a_recipe_prints_what_is_shown_below_it"
_CRON: Final = "test_the_line_for_cron_stores_one_task_an_hour_however_often_it_is_run"
_ENDPOINT: Final = "test_the_endpoint_answers_when_the_task_is_stored"
_WALKS: Final = "tests/project/test_walks.py::"
_SHOWS: Final = "test_a_guide_shows_the_files_of_its_example"
_FROM: Final = "test_the_walk_from_{}_ends_at_{}_in_the_browser"
_APPLICATIONS: Final = "tests/project/test_applications.py::"
_SCRIPT: Final = "test_the_script_has_its_server_and_its_results"
_NOTEBOOK: Final = "test_the_notebook_has_its_server_and_its_results"
_FASTAPI: Final = "test_the_app_of_fastapi_takes_orders_and_shows_its_deck_to_admins"
_FLASK: Final = "test_the_app_of_flask_takes_orders"
_DJANGO: Final = "test_the_view_of_django_submits_when_its_transaction_commits"
_TESTS: Final = "test_the_tests_of_the_testing_page_pass"
_INSTALLS: Final = "installs from an index, as tests/project/test_package.py does with the wheel"
_SAID: Final = "what a server has said"
_TORN: Final = "says what does not work, and why"

ROWS: Final = (
    Row("README.md", "", "make run", why="CI runs these targets themselves"),
    Row("README.md", "", "pip install", why=_INSTALLS),
    Row("README.md", "python", by=_JOBS),
    Row("README.md", "", "pooldeck serve", by=_JOBS),
    Row("README.md", "", "$ ", by=_README),
    Row("README.md", "", "WARNING pooldeck", by=_README),
    Row("README.md", "", "POOLDECK_TOKEN=", why="needs an engine for containers"),
    Row("docs/alerts.md", "", "webhook-id", why="headers, which tests/served/test_alerts.py reads"),
    Row("docs/applications.md", "python", "import jobs", by=_APPLICATIONS + _NOTEBOOK),
    Row("docs/applications.md", "python", "import pooldeck", by=_APPLICATIONS + _FASTAPI),
    Row("docs/applications.md", "python", "from flask", by=_APPLICATIONS + _FLASK),
    Row("docs/applications.md", "python", "from django", by=_APPLICATIONS + _DJANGO),
    Row("docs/applications.md", "python", by=_APPLICATIONS + _SCRIPT),
    Row("docs/architecture.md", "", why="a picture of the packages; `lint-imports` holds it"),
    Row("docs/architecture.md", "mermaid", by=_MOVES),
    Row("docs/choosing.md", "", by=_CLAIMS),
    Row("docs/choosing.md", "text", why="what `make choosing` has measured"),
    Row("docs/client.md", "python", by=_CLIENT),
    Row("docs/client.md", "text", by=_CLIENT),
    Row("docs/command-line.md", "toml", "[default]", by=_PLACES),
    Row("docs/command-line.md", "sh", "pooldeck retry --tag", why="is for a run that was cut off"),
    Row("docs/command-line.md", "sh", "pooldeck init", by=_INIT),
    Row("docs/command-line.md", "sh", "pooldeck open", by=_OPEN),
    Row("docs/command-line.md", "text", why="what two programs draw that do not end"),
    Row("docs/command-line.md", "python", by=_TUTORIAL),
    Row("docs/command-line.md", "console", by=_TUTORIAL),
    Row("docs/commands.md", "console", by=_DOCS),
    Row("docs/cookbook.md", "python", by=_RECIPE),
    Row("docs/cookbook.md", "text", by=_RECIPE),
    Row("docs/cookbook.md", "crontab", by=_COOKBOOK + _CRON),
    Row("docs/cookbook.md", "console", "$ pooldeck serve", by=_RECIPE),
    Row("docs/cookbook.md", "console", "$ curl", by=_COOKBOOK + _ENDPOINT),
    Row("docs/executor.md", "python", by=_EXECUTOR),
    Row("docs/experiments.md", "", by=_TUNE),
    Row("docs/from-an-executor.md", "python", by=_WALKS + _SHOWS),
    Row("docs/from-an-executor.md", "sh", why=_INSTALLS),
    Row(
        "docs/from-an-executor.md", "console", by=_WALKS + _FROM.format("an_executor", "its_tasks")
    ),
    Row("docs/from-background-tasks.md", "python", by=_WALKS + _SHOWS),
    Row("docs/from-background-tasks.md", "sh", why=_INSTALLS),
    Row(
        "docs/from-background-tasks.md",
        "console",
        by=_WALKS + _FROM.format("background_tasks", "a_task"),
    ),
    Row("docs/from-celery.md", "python", by=_WALKS + _SHOWS),
    Row("docs/from-celery.md", "sh", why=_INSTALLS),
    Row("docs/from-celery.md", "console", by=_WALKS + _FROM.format("celery", "a_chain")),
    Row("docs/from-rq.md", "python", "from redis", why="shows what there was, with RQ"),
    Row("docs/from-rq.md", "python", by=_WALKS + _FROM.format("rq", "a_task")),
    Row("docs/from-rq.md", "console", by=_WALKS + _FROM.format("rq", "a_task")),
    Row("docs/hosts.md", "text", why="is a drawing"),
    Row("docs/hosts.md", "python", "import time", by=_TUTORIAL),
    Row("docs/hosts.md", "console", by=_TUTORIAL),
    Row("docs/hosts.md", "sh", "ssh worker-1", why="is for machines that no test has"),
    Row("docs/hosts.md", "ini", why="is for systemd on a machine that no test has"),
    Row("docs/hosts.md", "sh", "dask worker", why="needs a scheduler on another machine"),
    Row("docs/logs.md", "python", "def passed_on", why="is for loguru, which is not installed"),
    Row("docs/monitoring.md", "sh", "pip install", why=_INSTALLS),
    Row("docs/operations.md", "sh", "python3 -m venv", why=_INSTALLS),
    Row("docs/operations.md", "console", "$ pooldeck doctor", why="shows a machine with a fault"),
    Row("docs/operations.md", "", "2026-11-29", why=_SAID),
    Row("docs/operations.md", "", "$ pooldeck token", by=_OPERATIONS),
    Row("docs/operations.md", "", "INFO …: ending", why=_SAID),
    Row("docs/operations.md", "", "the server before", why=_SAID),
    Row("docs/operations.md", "console", "$ pooldeck ", by=_OPERATIONS),
    Row("docs/operations.md", "", "2026-11-22", why=_SAID),
    Row("docs/pipelines.md", "console", by=_DOCS),
    Row("docs/placement.md", "console", by=_DOCS),
    Row("docs/proxies.md", "nginx", by=_PROXIES),
    Row("docs/proxies.md", "caddyfile", by=_PROXIES),
    Row("docs/resources.md", "python", "connection = sqlite3", why=_TORN),
    Row("docs/testing.md", "python", by=_APPLICATIONS + _TESTS),
    Row("docs/testing.md", "toml", by=_APPLICATIONS + _TESTS),
    Row("docs/tutorial.md", "python", by=_TUTORIAL),
    Row("docs/tutorial.md", "toml", by=_TUTORIAL),
    Row("docs/tutorial.md", "console", by=_TUTORIAL),
    Row("docs/tutorial.md", "sh", why=_INSTALLS),
    Row("docs/upgrading.md", "", "pip install", why=_INSTALLS),
)
"""The first row that is about a block counts."""


def row_of(block: Block) -> Row | None:
    return next((row for row in ROWS if row.is_about(block)), None)


def is_covered(block: Block) -> bool:
    return row_of(block) is not None or block.language in ITSELF
