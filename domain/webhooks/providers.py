"""Who sends webhooks, and whose word must be asked for again before anything follows from it."""

from enum import StrEnum
from typing import Final


class Provider(StrEnum):
    """A sender of webhooks, as it is named in addresses and in the inbox."""

    RAZORPAYX = "razorpayx"
    RAZORPAY = "razorpay"
    STRIPE = "stripe"
    PAYPAL = "paypal"
    FLUTTERWAVE = "flutterwave"


HEARSAY: Final = frozenset({Provider.PAYPAL, Provider.FLUTTERWAVE})
"""Providers whose signature does not cover the body.

Flutterwave's `verif-hash` is a shared password. PayPal signs a CRC-32 of the body, and another body
with the same CRC-32 is easily made. Such an event is a hint: before it gives value, the provider's
API is asked.
"""
