"""What people write in Notion, read as what they meant: HTML, Markdown, plain words, or a page's own blocks."""
