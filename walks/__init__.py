"""Walks: the product from end to end through its public doors, shown with figures."""
