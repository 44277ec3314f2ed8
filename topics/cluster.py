"""How to reach the Kafka cluster: one value."""

import ssl
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """Address and security. ``mechanism`` (PLAIN, SCRAM-SHA-256, SCRAM-SHA-512) turns SASL on, ``tls`` TLS."""

    bootstrap: str
    tls: bool = False
    ca_file: str | None = None
    cert_file: str | None = None
    key_file: str | None = None
    mechanism: str | None = None
    username: str | None = None
    password: str | None = None
    replication: int = 3
    min_insync: int = 2

    @property
    def protocol(self) -> str:
        """Kafka's name for the combination."""
        return ("SASL_" if self.mechanism else "") + ("SSL" if self.tls else "PLAINTEXT")

    def ssl_context(self) -> ssl.SSLContext | None:
        """TLS 1.2 or newer, verified against ``ca_file`` or the system's authorities."""
        if not self.tls:
            return None
        context = ssl.create_default_context(cafile=self.ca_file)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if self.cert_file:
            context.load_cert_chain(self.cert_file, self.key_file)
        return context

    def client(self) -> dict[str, Any]:
        """Arguments that every aiokafka and kafka-python client takes."""
        found: dict[str, Any] = {"bootstrap_servers": self.bootstrap.split(","), "security_protocol": self.protocol}
        if self.tls:
            found["ssl_context"] = self.ssl_context()
        if self.mechanism:
            found |= {
                "sasl_mechanism": self.mechanism,
                "sasl_plain_username": self.username,
                "sasl_plain_password": self.password,
            }
        return found
