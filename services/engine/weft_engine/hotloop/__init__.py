"""The hot loop: take everything waiting, decide in memory, write it in one transaction, ack, publish."""
