"""What the symbols of the chapter on comparisons mean."""
CHAPTER = {}
TAGS = {}
INLINE = {}
CONDITIONS = []
UNREAD = {}
DOCSTRINGS = {}
