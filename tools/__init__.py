"""Commands for the people who write the course; the Makefile calls them."""
