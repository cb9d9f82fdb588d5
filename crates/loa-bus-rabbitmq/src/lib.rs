//! The bus over RabbitMQ: confirms, prefetch, quorum queues, dead letters, reconnection for ever.
