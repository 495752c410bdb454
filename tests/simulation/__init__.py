"""The launch in a world of its own: the product's protocol under virtual time, with seeded faults."""
