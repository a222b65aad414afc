"""From the words of a segment to word pieces."""
