"""Signing in by OpenID Connect: people whom an identity provider knows, as an operator configured it.

Source: OpenID Connect Core 1.0, Discovery 1.0, RP-Initiated Logout 1.0; RFC 6749, RFC 7636 (PKCE), RFC 9207 (issuer), RFC 9700.
"""
