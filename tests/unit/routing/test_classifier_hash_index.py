import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from services.routing.hash_index import HashIndex

hashes = st.lists(st.integers(0, 2**64 - 1) | st.integers(0, 20), max_size=40)


@given(keys=hashes, wanted=hashes)
def test_it_finds_what_is_there_and_nothing_else(keys: list[int], wanted: list[int]) -> None:
    ordered = np.unique(np.array(keys, dtype=np.uint64))

    found, at = HashIndex(ordered).find(np.array(wanted, dtype=np.uint64))

    assert found.tolist() == [position for position, value in enumerate(wanted) if value in keys]
    assert ordered[at].tolist() == [wanted[position] for position in found]
