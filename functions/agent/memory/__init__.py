"""What the model remembers of a conversation, within a budget."""
