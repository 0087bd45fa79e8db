"""The whole of Ascolto as separate processes on a stack of its own, from one end to the other and under faults."""
