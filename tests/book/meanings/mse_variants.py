"""What the symbols of a chapter mean."""

CHAPTER = dict()
TAGS = {}
INLINE = {}
CONDITIONS = []
UNREAD = {}
DOCSTRINGS = {}
