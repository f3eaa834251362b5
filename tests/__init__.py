"""Tests of the whole house, by kind. `conftest.py` gives every test a real PostgreSQL and RabbitMQ."""
