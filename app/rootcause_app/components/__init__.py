"""What the pages are built of: words, HTML, charts and the form; none of it computes a probability."""
