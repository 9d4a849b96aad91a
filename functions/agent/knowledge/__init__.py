"""The business's own texts: how they are searched, and what becomes of a question that they do not answer."""
