"""A regulation as data: the schema, the strict reader of TOML, the registry."""
