"""The transport: GraphQL over HTTP, event streams and WebSockets."""
