"""Written letters: HTML, Markdown, plain text or Notion blocks, read as what was meant."""
