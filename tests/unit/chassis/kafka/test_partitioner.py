"""Our partitioner agrees with every other Kafka client, for an order per key depends on it."""

from aiokafka.partitioner import DefaultPartitioner
from aiokafka.partitioner import murmur2 as reference
from hypothesis import given
from hypothesis import strategies as st

from chassis.kafka.partitioner import murmur2, partition_for


@given(st.binary(max_size=80))
def test_the_hash_is_that_of_the_java_client(key: bytes) -> None:
    assert murmur2(key) == reference(key)


@given(st.binary(max_size=40), st.integers(1, 64))
def test_the_partition_is_that_of_the_default_partitioner(key: bytes, partitions: int) -> None:
    every = list(range(partitions))
    assert partition_for(key, partitions) == DefaultPartitioner()(key, every, every)
