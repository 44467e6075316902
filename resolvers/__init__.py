"""Root fields: authorise, call one service, convert."""
