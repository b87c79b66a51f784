"""Logins by OpenID Connect: imported only where `[oidc]` is set."""
