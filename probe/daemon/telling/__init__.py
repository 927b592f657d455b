"""Telling people what began, changed and ended: messages in their language, through the channels that they have set up.

``items`` what is told · ``messages`` what people read · ``document`` what programs read · ``parcels`` what goes together and
when · one file a channel · ``teller`` all of it together, which is what the daemon uses.
"""
