"""Results as files: one for each, whole or not at all."""
