"""HQ's certificate: only the CA of the enrolment code counts, and a wrong clock is said, not guessed."""

from __future__ import annotations

import datetime as dt
import hashlib
import ipaddress
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import ClassVar

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from associate_app.adapters.http import HttpEndpoint
from associate_app.ports import NoTrust
from shared.clock import is_at
from shared.errors import Weather

NOW = dt.datetime.now(dt.UTC)
YEAR = dt.timedelta(days=365)


@dataclass(frozen=True, slots=True)
class Certified:
    """A certificate with its key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    @property
    def key_pem(self) -> bytes:
        form = serialization.PrivateFormat.PKCS8
        return self.key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())

    @property
    def fingerprint(self) -> str:
        return hashlib.sha256(self.certificate.public_bytes(serialization.Encoding.DER)).hexdigest()


def certify(
    name: str, by: Certified | None = None, *, begins: dt.datetime = NOW - YEAR, ends: dt.datetime = NOW + YEAR
) -> Certified:
    """A CA of its own, or a certificate for 127.0.0.1 by one."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(by.certificate.subject if by else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(ends)
        .add_extension(x509.BasicConstraints(ca=by is None, path_length=None), critical=True)
    )
    if by is not None:
        address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
        builder = builder.add_extension(x509.SubjectAlternativeName([address]), critical=False)
    return Certified(builder.sign(by.key if by else key, hashes.SHA256()), key)


class Bell(BaseHTTPRequestHandler):
    """Answers every GET like the doorbell, and notes what it was told."""

    seen: ClassVar[list[tuple[str, str | None]]] = []

    def do_GET(self) -> None:
        self.seen.append((self.path.partition("?")[0], self.headers.get("Authorization")))
        body = b'{"epoch":"E","heads":{},"end":true}'
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_args: object) -> None:
        """Nothing."""


class QuietServer(HTTPServer):
    """Says nothing of handshakes that are refused on purpose."""

    def handle_error(self, request: object, client_address: object) -> None:
        """Nothing."""


@contextmanager
def serving(folder: Path, leaf: Certified, ca: Certified) -> Iterator[str]:
    """A server with a certificate, on loopback; gives its address."""
    (folder / "chain.pem").write_bytes(leaf.pem + ca.pem)
    (folder / "key.pem").write_bytes(leaf.key_pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "chain.pem", folder / "key.pem")
    server = QuietServer(("127.0.0.1", 0), Bell)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    Bell.seen.clear()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield f"https://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def ask(address: str, fingerprint: str | None) -> str:
    """Ask the doorbell over TLS."""
    endpoint = HttpEndpoint(address, token=lambda: "secret", ca_fingerprint=fingerprint)
    try:
        return endpoint.wait({}, 0).epoch
    finally:
        endpoint.close()


CA = certify("Floorside test CA")


@pytest.mark.parametrize("spell", [str, str.upper], ids=["lower case", "upper case"])
def test_the_ca_of_the_enrolment_code_is_trusted(tmp_path: Path, spell: type[str]):
    """A private CA nobody else knows, found by its fingerprint in what HQ shows."""
    with serving(tmp_path, certify("hq", CA), CA) as address:
        assert ask(address, spell(CA.fingerprint)) == "E"


def test_another_ca_is_refused_and_gets_no_token(tmp_path: Path):
    """Someone in between with a CA of their own: nothing secret is sent to them."""
    other = certify("Another CA")
    with serving(tmp_path, certify("hq", other), other) as address:
        with pytest.raises(NoTrust):
            ask(address, CA.fingerprint)
        assert Bell.seen == []


def test_showing_the_right_ca_beside_a_certificate_of_another_does_not_help(tmp_path: Path):
    """The fingerprint chooses the anchor; the chain is verified against it all the same."""
    with serving(tmp_path, certify("hq", certify("Another CA")), CA) as address:
        with pytest.raises(NoTrust):
            ask(address, CA.fingerprint)
        assert Bell.seen == []


def test_without_a_fingerprint_a_private_ca_is_not_trusted(tmp_path: Path):
    """Then the system's CAs count."""
    with serving(tmp_path, certify("hq", CA), CA) as address, pytest.raises(NoTrust) as caught:
        ask(address, None)
    assert caught.value.hq_at is None


@pytest.mark.parametrize(
    ("begins", "ends"), [(NOW - 3 * YEAR, NOW - YEAR), (NOW + YEAR, NOW + 2 * YEAR)], ids=["expired", "not yet valid"]
)
def test_a_refusal_for_dates_alone_brings_hqs_own_time(tmp_path: Path, begins: dt.datetime, ends: dt.datetime):
    """So the status can say which clock is wrong; asked without the token, and the chain is verified in all else."""
    with serving(tmp_path, certify("hq", CA, begins=begins, ends=ends), CA) as address:
        with pytest.raises(NoTrust) as caught:
            ask(address, CA.fingerprint)
        assert is_at(caught.value.hq_at)
        assert Bell.seen == [("/healthz", None)]


def test_an_hq_that_is_not_there_is_weather_and_no_question_of_trust():
    """Nobody listens on the port."""
    with pytest.raises(Weather) as caught:
        ask("https://127.0.0.1:9", CA.fingerprint)
    assert not isinstance(caught.value, NoTrust)
