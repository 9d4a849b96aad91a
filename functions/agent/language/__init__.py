"""How the assistant speaks: fixed phrases, days and times in words, and what an answer must look like."""
