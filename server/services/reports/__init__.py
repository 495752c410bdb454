"""Reports: what the platform counts for a stretch of time, kept as it was told, shown in every form."""
