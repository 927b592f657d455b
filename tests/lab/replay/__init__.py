"""History again: what was done to the Internet in Kazakhstan, hour by hour, and what a daemon makes of it.

The daemon's clock jumps over the time in which nothing is due; every measurement runs in real time, in a sealed lab.
"""
