"""One submission or many before the trusted pytest, on any engine."""
