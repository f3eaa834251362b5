"""One verb on many executions, as a job: what is chosen stands when it starts, and each execution's answer is kept."""
