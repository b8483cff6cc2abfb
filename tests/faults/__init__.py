"""Faults of whole processes: killed, frozen, cut off and redeployed, on real servers and a real bank."""
