"""90a · Checksum, top and relay

Three small things, only there to be graded: `checksum(data)` of bytes, `top(numbers, k)`, and a
class `Relay` that adds.
"""

EXERCISE = {
    "objectives": ["be graded"],
    "minutes": 1,
    "public": {"test_checksum": 4},
    "hidden": {"test_random_bytes": 2, "test_empty": 1, "test_top": 1, "test_relay": 2},
    "families": ["lone", "forked", "family", "mixed"],
    "hints": ["Multiply.", "Multiply by 31.", "Add each byte."],
    "commentary": "Nothing to say.",
}


def checksum(data):
    """Return the checksum of bytes."""
    # <answer>
    value = 7
    for byte in data:
        value = (value * 31 + byte) % 65521
    return value
    # </answer>


def top(numbers, k):
    """Return the k largest numbers, the largest first."""
    # <answer>
    return sorted(numbers, reverse=True)[:k]
    # </answer>


class Relay:
    """A sum that grows."""

    def __init__(self, start):
        self.value = start

    def push(self, number):
        """Add a number and return the sum."""
        # <answer>
        self.value += number
        return self.value
        # </answer>
