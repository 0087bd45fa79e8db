"""The client side: tokens go over TLS or loopback only, deadlines by default, and errors as sentences."""

import datetime as dt
from pathlib import Path

import grpc
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from chassis.api_errors import invalid_argument, unavailable
from chassis.errors import Crash
from chassis.grpc_client import explain, open_channel
from tests.integration.chassis.echo import Echo, running, say
from tests.integration.chassis.test_grpc_calls import failing

pytestmark = pytest.mark.integration


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, Path]:
    """Files of a certificate for localhost and of its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    files = (tmp_path / "certificate.pem", tmp_path / "key.pem")
    files[0].write_bytes(made.public_bytes(Encoding.PEM))
    files[1].write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return files


async def test_a_token_travels_under_tls(certificate: tuple[Path, Path]) -> None:
    chain, key = certificate
    async with running(Echo(), tls_certificate_file=chain, tls_key_file=key) as server:
        token = server.issuer.mint("ada", "acme", [])
        target = f"localhost:{server.server.port}"
        async with open_channel(target, token, root_certificates_file=chain, plaintext=False) as channel:
            assert await say(channel, "sealed") == "sealed"


async def test_half_of_a_certificate_is_refused(certificate: tuple[Path, Path]) -> None:
    with pytest.raises(Crash, match="set both GRPC_TLS_CERTIFICATE_FILE and GRPC_TLS_KEY_FILE"):
        async with running(Echo(), tls_certificate_file=certificate[0]):
            pass


async def test_a_token_of_the_moment_is_asked_for_at_each_call() -> None:
    async with running(Echo()) as server:
        tokens = iter(["expired nonsense", server.issuer.mint("ada", "acme", [])])
        async with open_channel(f"127.0.0.1:{server.server.port}", lambda: next(tokens)) as channel:
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await say(channel, "first")
            assert "Get a new one from the issuer. (TOKEN_INVALID)" in explain(caught.value)
            assert await say(channel, "second") == "second"


async def test_a_violation_reads_as_field_and_advice() -> None:
    async with running(Echo(say=failing(invalid_argument("page_size", "is over 1000; ask for less")))) as server:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await server.say("")
    assert explain(caught.value) == "page_size: is over 1000; ask for less (FIELD_INVALID)"


async def test_a_time_to_retry_is_told() -> None:
    away = unavailable("STORE_UNAVAILABLE", "The store is away.", retry_after_seconds=2)
    async with running(Echo(say=failing(away))) as server:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await server.say("")
    assert explain(caught.value) == "The store is away. (STORE_UNAVAILABLE, again in 2 s)"
