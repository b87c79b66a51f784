"""A variable that looks like a setting is one, or ours, or an orchestrator's; or it is refused."""

import os
from pathlib import Path

import pytest

from pooldeck_server.settings import BadSettings, check_variables, injected, read_settings

SECRET = "correct-horse-battery-staple"
CLUSTER = {
    "POOLDECK_SERVICE_HOST": "10.96.0.17",
    "POOLDECK_SERVICE_PORT": "8000",
    "POOLDECK_SERVICE_PORT_HTTP": "8000",
    "POOLDECK_PORT": "tcp://10.96.0.17:8000",
    "POOLDECK_PORT_8000_TCP": "tcp://10.96.0.17:8000",
    "POOLDECK_PORT_8000_TCP_PROTO": "tcp",
    "POOLDECK_PORT_8000_TCP_PORT": "8000",
    "POOLDECK_PORT_8000_TCP_ADDR": "10.96.0.17",
}
DATABASE_OF_CLUSTER = {
    "POOLDECK_DB_SERVICE_HOST": "fd00::1:2",
    "POOLDECK_DB_SERVICE_PORT": "5432",
    "POOLDECK_DB_PORT": "udp://[fd00::1:2]:5432",
    "POOLDECK_DB_PORT_5432_UDP": "udp://[fd00::1:2]:5432",
    "POOLDECK_DB_PORT_5432_UDP_ADDR": "fd00::1:2",
    "POOLDECK_DB_PORT_9000_SCTP_PORT": "9000",
}
LINK = {
    "POOLDECK_NAME": "/web/pooldeck",
    "POOLDECK_ENV_PYTHON_VERSION": "3.12",
    "POOLDECK_ENV_POOLDECK_TOKEN": SECRET,
    "POOLDECK_PORT_8000_TCP_START": "tcp://172.17.0.2:8000",
}


@pytest.fixture(autouse=True)
def _nothing_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Begin in an empty folder, without settings in the environment."""
    for name in [name for name in os.environ if name.startswith("POOLDECK_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def problems_of(**environment: str) -> list[str]:
    with pytest.raises(BadSettings) as caught:
        check_variables(environment)
    return caught.value.problems


@pytest.mark.parametrize(
    ("mistyped", "meant"),
    [
        ("POOLDECK_TOKN", "POOLDECK_TOKEN"),
        ("pooldeck_tokn", "POOLDECK_TOKEN"),
        ("POOLDECK_FUNCTION", "POOLDECK_FUNCTIONS"),
        ("POOLDECK_PORTT", "POOLDECK_PORT"),
        ("POOLDECK_ALLOWEDHOSTS", "POOLDECK_ALLOWED_HOSTS"),
        ("POOLDECK_POOLS__CPU__SIZ", "POOLDECK_POOLS__CPU__SIZE"),
        ("POOLDECK_POOL__CPU__SIZE", "POOLDECK_POOLS__CPU__SIZE"),
        ("POOLDECK_POOLS_CPU_SIZE", "POOLDECK_POOLS__CPU__SIZE"),
        ("POOLDECK_POOLS_BIG_ONE_SIZE", "POOLDECK_POOLS__BIG_ONE__SIZE"),
        ("POOLDECK_LIMITS__BODY_BITES", "POOLDECK_LIMITS__BODY_BYTES"),
        ("POOLDECK_BODY_BYTES", "POOLDECK_LIMITS__BODY_BYTES"),
        ("POOLDECK_LOG_LEVEL", "POOLDECK_LOG__LEVEL"),
        ("POOLDECK_TERMINAL_FORMAT", "POOLDECK_TERMINAL__FORMAT"),
        ("POOLDECK_COMMANDS_THUMBNAIL_TIMEOUT", "POOLDECK_COMMANDS__THUMBNAIL__TIMEOUT"),
        (
            "POOLDECK_COMMANDS__A__PARAMETERS__WIDTH__DEFALT",
            "POOLDECK_COMMANDS__A__PARAMETERS__WIDTH__DEFAULT",
        ),
        ("POOLDECK_ULR", "POOLDECK_URL"),
        ("pooldeck_url", "POOLDECK_URL"),
    ],
)
def test_a_mistyped_variable_is_refused_with_the_name_that_was_meant(
    mistyped: str, meant: str
) -> None:
    assert problems_of(**{mistyped: SECRET}) == [
        f"{mistyped}: there is no such setting; did you mean {meant}?"
    ]


@pytest.mark.parametrize("name", ["POOLDECK_XYZZY", "POOLDECK_PORT__NUMBER", "POOLDECK_"])
def test_a_variable_that_is_like_no_setting_is_refused_too_with_what_to_do(name: str) -> None:
    (problem,) = problems_of(**{name: SECRET})

    assert problem.startswith(f"{name}: there is no such setting. ")
    assert "give it another name" in problem
    assert SECRET not in problem


def test_each_mistyped_variable_has_a_line() -> None:
    assert len(problems_of(POOLDECK_TOKN="", POOLDECK_HOTS="", PATH="/bin")) == 2


def test_the_settings_are_not_read_where_a_variable_is_mistyped(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("POOLDECK_TOKN", SECRET)

    with pytest.raises(BadSettings, match="POOLDECK_TOKEN"):
        read_settings({})


@pytest.mark.parametrize(
    "environment",
    [
        {"POOLDECK_TOKEN": SECRET, "pooldeck_port": "1", "Pooldeck_Host": "localhost"},
        {"POOLDECK_POOLS": "{}", "POOLDECK_POOLS__A__SIZE": "1", "POOLDECK_LOG__PATH": "a"},
        {"POOLDECK_COMMANDS__A__ENVIRONMENT__LANG": "C", "POOLDECK_COMMANDS__A__RUN": '["a"]'},
        {"POOLDECK_BOOT": "a", "POOLDECK_WORKER": "cpu-1", "POOLDECK_CALL": "b/1"},
        {"POOLDECK_FAIL_AT": "", "POOLDECK_URL": "http://127.0.0.1:8000"},
        {"POOLDECK": "", "POOLDECKER": "", "MY_POOLDECK_TOKN": ""},
    ],
)
def test_settings_and_what_the_server_itself_hands_on_are_let_through(
    environment: dict[str, str],
) -> None:
    check_variables(environment)


@pytest.mark.parametrize("environment", [CLUSTER, DATABASE_OF_CLUSTER, LINK, CLUSTER | LINK])
def test_what_an_orchestrator_sets_for_a_service_of_this_name_is_let_through_and_known(
    environment: dict[str, str],
) -> None:
    check_variables(environment)

    assert injected(environment) == environment.keys()


def test_the_address_of_a_service_is_not_taken_for_the_port_to_listen_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in CLUSTER.items():
        monkeypatch.setenv(name, value)
    Path("pooldeck.toml").write_text("port = 8123")

    assert read_settings({}).port == 8123


def test_a_number_is_the_port_to_listen_on_beside_services_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in (CLUSTER | {"POOLDECK_PORT": "8124"}).items():
        monkeypatch.setenv(name, value)

    assert read_settings({}).port == 8124


@pytest.mark.parametrize("value", ["http://10.96.0.17:8000", "tcp://", "8000/tcp"])
def test_a_port_that_is_neither_a_number_nor_the_address_of_a_service_is_refused(
    monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("POOLDECK_PORT", value)

    with pytest.raises(BadSettings, match="POOLDECK_PORT"):
        read_settings({})


@pytest.mark.parametrize(
    "environment",
    [
        {"POOLDECK_SERVICE_PORT": "8000"},  # no host of a service beside it
        {"POOLDECK_SERVICE_HOST": "0.0.0.0"},  # where somebody means to listen
        {"POOLDECK_SERVICE_HOST": "example"},
        {"POOLDECK_DB_PORT": "5432"},
        {"POOLDECK_NAME": "pooldeck"},
        {"POOLDECK_ENV_TOKEN": SECRET},  # no name of a link beside it
        {"POOLDECK_TOKN": "tcp://10.96.0.17:8000"},
    ],
)
def test_what_only_looks_like_an_orchestrators_is_refused(environment: dict[str, str]) -> None:
    assert not injected(environment)
    assert len(problems_of(**environment)) == 1


@pytest.mark.parametrize(
    "name",
    [
        "POOLDECK_TOKEN",
        "POOLDECK_HOST",
        "POOLDECK_DATA",
        "POOLDECK_CONFIG",
        "POOLDECK_POOLS__CPU__SIZE",
        "POOLDECK_URL",
    ],
)
@pytest.mark.parametrize("value", ["", "  "])
def test_a_variable_without_a_value_is_no_value(name: str, value: str) -> None:
    assert problems_of(**{name: value}) == [
        f"{name} is empty: give it a value, or take it out of the environment"
    ]


def test_a_list_may_be_empty_and_so_may_texts_of_commands() -> None:
    check_variables(
        {
            "POOLDECK_FUNCTIONS": "",
            "POOLDECK_ALLOWED_HOSTS": "",
            "POOLDECK_COMMANDS__A__INPUT": "",
            "POOLDECK_COMMANDS__A__ENVIRONMENT__EMPTY": "",
        }
    )
