"""Each peer does the work it is compared by: collected only where the peers are installed, by `make bench-test`."""

import pytest

from tests.bench import effects
from tests.bench.peers.catalog import PEERS, Peer
from workers.bench.stand import Stand


@pytest.mark.parametrize("peer", PEERS, ids=lambda peer: peer.name)
def test_a_peer_pays_each_payout_once(own_stand: Stand, peer: Peer) -> None:
    done = effects.of_peer(own_stand, peer, 50, gateway_seconds=0.001)

    assert done.items == 50
    assert done.per_second > 0
