"""The language: from a document's text to its answer, whatever the transport."""
