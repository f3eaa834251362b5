"""The queries of analytics: what is heard written in bulk, executions listed, numbers read."""
