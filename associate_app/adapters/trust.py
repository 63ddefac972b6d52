"""Which certificates of HQ a tablet believes, and what a refused one means.

With a fingerprint from the enrolment code the CA it names is the only trust anchor: HQ's chain is fetched once without
believing it, the certificate with that SHA-256 is taken out of it, and every real connection is verified against it
alone, host name and dates included. So HQ must send its CA along. Without a fingerprint the system's CAs count.
"""

from __future__ import annotations

import hashlib
import socket
import ssl
from email.utils import parsedate_to_datetime
from typing import Any, Final
from urllib.parse import urlsplit

import httpx

from associate_app.ports import NoTrust
from shared.clock import format_at
from shared.errors import Weather

CONNECT_S: Final = 5.0
_NO_CHECK_TIME: Final = ssl.VerifyFlags(0x200000)
"""X509_V_FLAG_NO_CHECK_TIME of OpenSSL: everything about a chain is verified, only not its dates."""
_NOT_YET_VALID: Final = 9
_EXPIRED: Final = 10
"""X509_V_ERR_CERT_NOT_YET_VALID and X509_V_ERR_CERT_HAS_EXPIRED."""
_CAUSES_MAX: Final = 10


def open_context(base_url: str, fingerprint: str | None) -> ssl.SSLContext:
    """The context every connection to HQ is verified with. Raises Weather where HQ cannot be reached for its CA,
    NoTrust where its chain does not hold that CA."""
    if fingerprint is None:
        return ssl.create_default_context()
    return _anchored(_find_ca(base_url, fingerprint))


def _anchored(ca: bytes) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.verify_flags |= ssl.VerifyFlags.VERIFY_X509_PARTIAL_CHAIN
    context.load_verify_locations(cadata=ca)
    return context


def _find_ca(base_url: str, fingerprint: str) -> bytes:
    wanted = fingerprint.replace(":", "").lower()
    for certificate in _presented_chain(base_url):
        if hashlib.sha256(certificate).hexdigest() == wanted:
            return certificate
    raise NoTrust("HQ does not show the certificate the enrolment code names")


def _presented_chain(base_url: str) -> list[bytes]:
    """The certificates HQ shows (DER), believed in nothing: no request is sent on this connection."""
    parts = urlsplit(base_url)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        with (
            socket.create_connection((parts.hostname, parts.port or 443), CONNECT_S) as plain,
            context.wrap_socket(plain, server_hostname=parts.hostname) as secure,
        ):
            return _unverified_chain(secure)
    except OSError as error:
        raise Weather(f"HQ cannot be reached: {error}"[:200]) from error


def _unverified_chain(secure: ssl.SSLSocket) -> list[bytes]:
    """Public from Python 3.13 on; before, the same call lies one object deeper."""
    if hasattr(secure, "get_unverified_chain"):
        chain: list[Any] = secure.get_unverified_chain()
        return [bytes(certificate) for certificate in chain]
    inner: Any = getattr(secure, "_sslobj", None)
    return [ssl.PEM_cert_to_DER_cert(certificate.public_bytes()) for certificate in inner.get_unverified_chain()]


def explain_refusal(base_url: str, fingerprint: str | None, error: BaseException) -> NoTrust | None:
    """What a failed connection says about trust: None where no certificate was refused. Where only a date was wrong,
    HQ's own time comes along, so that a person learns which clock it is."""
    refused = _refused_certificate(error)
    if refused is None:
        return None
    is_about_time = refused.verify_code in (_NOT_YET_VALID, _EXPIRED)
    hq_at = _ask_time(base_url, fingerprint) if is_about_time else None
    return NoTrust(f"HQ's certificate was refused: {refused.verify_message}", hq_at=hq_at)


def _refused_certificate(error: BaseException | None) -> ssl.SSLCertVerificationError | None:
    """The refusal in a chain of causes."""
    seen = 0
    while error is not None and seen < _CAUSES_MAX:
        if isinstance(error, ssl.SSLCertVerificationError):
            return error
        error, seen = error.__cause__ or error.__context__, seen + 1
    return None


def _ask_time(base_url: str, fingerprint: str | None) -> str | None:
    """HQ's time from the Date of a plain answer. The chain is verified in everything but its dates, nothing secret is
    sent, and the answer is only ever shown."""
    try:
        context = open_context(base_url, fingerprint)
        context.verify_flags |= _NO_CHECK_TIME
        with httpx.Client(verify=context, trust_env=False, timeout=CONNECT_S) as http:
            told = http.get(f"{base_url}/healthz").headers.get("date", "")
        return format_at(parsedate_to_datetime(told))
    except (httpx.HTTPError, OSError, ValueError, TypeError, Weather):
        return None
