"""TLS for hosts: what the server shows, what hosts have to show, and in words what went wrong."""

import ssl
from typing import Final

from pooldeck_server.domain.errors import StartupError
from pooldeck_server.settings import HostsSettings

_DISTRUST: Final = ("UNKNOWN_CA", "BAD_CERTIFICATE", "CERTIFICATE_UNKNOWN", "CERTIFICATE_EXPIRED")


def server_context(settings: HostsSettings) -> ssl.SSLContext | None:
    """Return how the server speaks TLS with hosts; None where it speaks none.

    Raises:
        StartupError: If one of the files cannot be used.
    """
    if settings.certificate is None or settings.key is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(settings.certificate, settings.key)
    except (OSError, ValueError) as error:  # a wrong file, or none; an encrypted key
        raise StartupError(
            f"[hosts] certificate {settings.certificate} with key {settings.key} cannot be used: "
            f"{_plain(error)}"
        ) from None
    if settings.host_authority is not None:
        try:
            context.load_verify_locations(settings.host_authority)
        except (OSError, ValueError) as error:
            raise StartupError(
                f"[hosts] host_authority {settings.host_authority} cannot be used: {_plain(error)}"
            ) from None
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def why_no_tls(error: OSError) -> str:
    """Return in a sentence why the TLS with a host was not begun."""
    reason = getattr(error, "reason", None) or ""
    # Some end without a word, where others send an alert.
    if isinstance(error, ConnectionError) or any(alert in reason for alert in _DISTRUST):
        return (
            "it does not trust this server's certificate: its authority is another one, or the "
            "name that it dials is not in it; its log says which"
        )
    if "CERTIFICATE_VERIFY_FAILED" in reason:
        return "its certificate is not signed by the host_authority of [hosts]"
    if "DID_NOT_RETURN_A_CERTIFICATE" in reason:
        return "it shows no certificate, and host_authority is set under [hosts]"
    if reason in {"HTTP_REQUEST", "WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE"}:
        return "it speaks no TLS, and this server wants it"
    return f"no TLS could be begun with it ({_plain(error)})"


def _plain(error: Exception) -> str:
    reason = getattr(error, "reason", None)
    if isinstance(error, ssl.SSLError) and reason:
        return str(reason).replace("_", " ").lower()
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
