"""What users would pick instead: the same schema, tables and rows behind another server."""
