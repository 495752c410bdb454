"""Tools for those who develop and try the house; the server never imports them."""
