"""Dalel: is it blocked, is it down, or is it my own network?"""

__version__ = "0.1.0"
