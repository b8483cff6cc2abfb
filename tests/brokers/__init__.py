"""Servers that the other tests do without: RabbitMQ, Redis behind Sentinel, PgBouncer. By `make test-brokers`."""
