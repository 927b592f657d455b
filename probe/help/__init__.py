"""Long help, one Markdown file a topic."""
