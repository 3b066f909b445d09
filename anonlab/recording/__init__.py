"""From a running kernel to a trace: snapshots, walks, and the recorder that labels each step."""
