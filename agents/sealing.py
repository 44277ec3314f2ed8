"""Sealing: what is of a person is readable only for who holds the key, and gone when the key is gone.

Every copy of a message has a fresh random key of 32 bytes; its parts are AES-256-GCM under it, each bound
to the key's id and the part's name. The key itself travels wrapped: with the region's wrap key (RFC 3394)
for the centre, as a JWE (ECDH-ES+A256KW, A256GCM) for a receiver.
"""

import base64
import hmac
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap, aes_key_wrap
from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

Entropy = Callable[[int], bytes]
"""So many random bytes; ``os.urandom`` outside tests."""

KEY_BYTES, NONCE_BYTES = 32, 12
JWE_ALGORITHMS = ["ECDH-ES+A256KW", "A256GCM"]


class CannotOpen(Exception):
    """The key is not the right one, or the sealed part was altered."""


@dataclass(frozen=True, slots=True)
class KeySet:
    """Keys of one purpose by name; two may live at a time, ``current`` is used for what is new."""

    current: str
    keys: dict[str, bytes]


@dataclass(frozen=True, slots=True)
class RegionKeys:
    """The keys of a region: ``wrap`` for content keys, ``match`` for the HMACs by which households are known."""

    wrap: KeySet
    match: KeySet

    def wrapped(self, key: bytes) -> tuple[str, str]:
        """Name of the wrap key and the wrapped ``key`` in base64."""
        return self.wrap.current, _b64(aes_key_wrap(self.wrap.keys[self.wrap.current], key))

    def unwrapped(self, name: str, wrapped: str) -> bytes:
        """The key again; ``CannotOpen`` when the wrap key is unknown or another."""
        try:
            return aes_key_unwrap(self.wrap.keys[name], base64.b64decode(wrapped))
        except (KeyError, InvalidUnwrap, ValueError) as error:
            raise CannotOpen(name) from error

    def match_codes(self, *values: str) -> tuple[str, ...]:
        """The keyed code of what identifies somebody, under every live match key: ``<key name>:<32 hex>``."""
        said = "\x1f".join(values).encode()
        return tuple(f"{name}:{hmac.digest(key, said, 'sha256').hex()[:32]}" for name, key in self.match.keys.items())

    def fingerprint(self, content: bytes) -> str:
        """A keyed hash that tells whether two contents are the same, and nothing else."""
        return hmac.digest(self.match.keys[self.match.current], b"content\x1f" + content, "sha256").hex()[:32]


def seal(key: bytes, key_id: str, part: str, plain: bytes, entropy: Entropy) -> str:
    """Base64 of nonce and ciphertext."""
    return _b64(seal_bytes(key, key_id, part, plain, entropy))


def unseal(key: bytes, key_id: str, part: str, sealed: str) -> bytes:
    """What was sealed; ``CannotOpen`` when the key does not fit or a bit was changed."""
    return unseal_bytes(key, key_id, part, base64.b64decode(sealed))


def seal_bytes(key: bytes, key_id: str, part: str, plain: bytes, entropy: Entropy) -> bytes:
    """Nonce and ciphertext."""
    nonce = entropy(NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, plain, f"{key_id}/{part}".encode())


def unseal_bytes(key: bytes, key_id: str, part: str, sealed: bytes) -> bytes:
    """As ``unseal``."""
    try:
        return AESGCM(key).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], f"{key_id}/{part}".encode())
    except InvalidTag as error:
        raise CannotOpen(part) from error


def wrap_for(public_key: ECKey, key: bytes) -> str:
    """The key for one receiver, as a compact JWE."""
    return jwe.encrypt_compact({"alg": "ECDH-ES+A256KW", "enc": "A256GCM"}, key, public_key, algorithms=JWE_ALGORITHMS)


def unwrap_with(private_jwk: dict[str, Any], wrapped: str) -> bytes:
    """The key again, with the receiver's private JWK; ``CannotOpen`` when it is another's."""
    try:
        found = jwe.decrypt_compact(wrapped, ECKey.import_key(private_jwk), algorithms=JWE_ALGORITHMS)
    except (JoseError, ValueError) as error:
        raise CannotOpen("jwe") from error
    if found.plaintext is None:
        raise CannotOpen("jwe")
    return found.plaintext


def _b64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()
