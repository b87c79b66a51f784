"""What workers load by the settings: the modules and commands, read again at each restart."""

from dataclasses import dataclass

from pooldeck.pools.model import CodeSpec
from pooldeck_server.domain.errors import Conflict, StartupError
from pooldeck_server.settings import BadSettings, Settings, read_anew


@dataclass(eq=False)
class DeployedCode:
    """Which modules and commands there are by the settings, as they were read last."""

    settings: Settings

    def __post_init__(self) -> None:
        self.spec = _spec(self.settings)

    def read_anew(self) -> CodeSpec:
        """Read the settings again, and return what workers are to load from now on.

        Only modules and commands are taken from them; all else counts from the server's start.

        Raises:
            Conflict: If the settings cannot be used as they are now.
        """
        try:
            found = read_anew(self.settings)
        except (BadSettings, StartupError) as error:
            what = f"nothing was restarted, since the settings are not right: {error}"
            raise Conflict(what) from error
        self.spec = _spec(found.model_copy(update={"pools": self.settings.pools}))
        return self.spec


def _spec(settings: Settings) -> CodeSpec:
    return CodeSpec(settings.functions, settings.declared_commands)
