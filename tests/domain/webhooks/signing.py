"""Webhooks as providers send them, signed by no code of the product."""

import base64
import hashlib
import hmac
import json
import zlib
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID

NOW = datetime(2026, 1, 5, 6, 0, tzinfo=UTC)
SECRET, BEFORE = "the current secret", "the secret before"
WEBHOOK = "8PT597110X687430LKGECATA"
CERTIFICATE_URL = "https://api.paypal.com/v1/notifications/certs/CERT-360caa42-fca2a594"


def hex_hmac(message: bytes, secret: str = SECRET) -> str:
    return hmac.new(secret.encode(), message, hashlib.sha256).hexdigest()


def payout_event(kind: str = "payout.processed", **entity: object) -> dict[str, object]:
    whole = {"id": "pout_00000000000001", "status": "processed", "amount": 1000, **entity}
    return {
        "entity": "event",
        "account_id": "acc_1",
        "event": kind,
        "contains": ["payout"],
        "payload": {"payout": {"entity": whole}},
        "created_at": int(NOW.timestamp()),
    }


def raw(document: object) -> bytes:
    return json.dumps(document).encode()


def razorpay_headers(body: bytes, secret: str = SECRET) -> dict[str, str]:
    return {"x-razorpay-signature": hex_hmac(body, secret), "x-razorpay-event-id": "evt_1"}


def stripe_event(**changes: object) -> dict[str, object]:
    return {
        "id": "evt_1",
        "type": "payout.paid",
        "created": int(NOW.timestamp()),
        "data": {"object": {"id": "po_1"}},
        **changes,
    }


def stripe_headers(
    body: bytes, *secrets: str, at: datetime = NOW, more: str = ""
) -> dict[str, str]:
    t = int(at.timestamp())
    signed = [f"v1={hex_hmac(f'{t}.'.encode() + body, secret)}" for secret in secrets or (SECRET,)]
    return {"stripe-signature": ",".join((f"t={t}", *signed)) + more}


class PayPal:
    """A key and a certificate as PayPal has them, made here."""

    def __init__(self, *, valid_from: datetime = NOW - timedelta(days=1)) -> None:
        self.key = rsa.generate_private_key(public_exponent=65_537, key_size=2048)
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "messageverificationcerts")])
        self.certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(self.key.public_key())
            .serial_number(1)
            .not_valid_before(valid_from)
            .not_valid_after(valid_from + timedelta(days=90))
            .sign(self.key, hashes.SHA256())
        )
        self.fetched: list[str] = []

    def fetch(self, url: str) -> bytes:
        self.fetched.append(url)
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    def headers(self, body: bytes, webhook: str = WEBHOOK) -> dict[str, str]:
        sent, at = "69cd13f0-d67a-11e5-baa3-778b53f4ae55", "2026-01-05T06:00:00Z"
        message = f"{sent}|{at}|{webhook}|{zlib.crc32(body)}".encode()
        signature = self.key.sign(message, padding.PKCS1v15(), hashes.SHA256())
        return {
            "paypal-transmission-id": sent,
            "paypal-transmission-time": at,
            "paypal-transmission-sig": base64.b64encode(signature).decode(),
            "paypal-cert-url": CERTIFICATE_URL,
            "paypal-auth-algo": "SHA256withRSA",
        }


def paypal_event() -> dict[str, object]:
    return {
        "id": "WH-2WR32451HC0233532-67976317FL4543714",
        "event_type": "PAYMENT.PAYOUTS-ITEM.SUCCEEDED",
        "create_time": "2026-01-05T06:00:00.123Z",
        "resource": {"id": "8AELMXH8UB2P8"},
    }


def flutterwave_event(**data: object) -> dict[str, object]:
    return {
        "event": "transfer.completed",
        "data": {"id": 33_286, "created_at": "2026-01-05T06:00:00.000Z", **data},
    }
