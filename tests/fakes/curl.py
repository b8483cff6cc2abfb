"""`curl`, as the pages use it, on a client of the test: nothing has to be installed, and no host is asked."""

from collections.abc import Sequence
from itertools import pairwise

import httpx


def curl(client: httpx.Client, words: Sequence[str], token: str) -> httpx.Response:
    """What `curl -sS URL -H … -d BODY` is answered, with `$TOKEN` filled in."""
    options = list(pairwise(words))
    headers = dict(
        value.replace("$TOKEN", token).split(": ", 1) for option, value in options if option == "-H"
    )
    [body] = [value for option, value in options if option == "-d"]
    [url] = [word for word in words if word.startswith("https://")]
    return client.post(httpx.URL(url).path, content=body, headers=headers)
