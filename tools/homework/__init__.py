"""Homework: make it, collect it, repair it, run it in a sandbox, grade it. The commands are in __main__.py."""
