"""The RabbitMQ transport.

FastStream owns the connections and the rooms' subscriptions; the hot path speaks on channels of those connections.
"""
