"""The process: settings, tokens, the GraphQL endpoint, the embedded database, the command line."""
