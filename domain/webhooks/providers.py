"""Who sends webhooks.

What PayPal and Flutterwave sign does not cover the body: Flutterwave's `verif-hash` is a shared password, and PayPal
signs a CRC-32, of which another body with the same one is easily made. Nobody here asks their APIs, so nothing follows
from what they tell: it is kept, and concluded with nothing to do (`domain.events`).
"""

from enum import StrEnum


class Provider(StrEnum):
    """A sender of webhooks, as it is named in addresses and in the inbox."""

    RAZORPAYX = "razorpayx"
    RAZORPAY = "razorpay"
    STRIPE = "stripe"
    PAYPAL = "paypal"
    FLUTTERWAVE = "flutterwave"
