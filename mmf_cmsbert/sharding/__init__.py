"""Many files of segments, each a shard: predicted or converted whole, in order, and restartable."""
