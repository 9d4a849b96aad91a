"""Kesher's Lambda functions: `webhook` accepts, `agent` answers, `send` delivers, `sweeper` rings again."""
