"""What an operator does by hand, noun by noun; ``server/__main__.py`` puts the commands together."""
