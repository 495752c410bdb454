"""Stand-ins: small servers of our own that speak the documented protocols of the services we use."""
