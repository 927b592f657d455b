"""Every reader of bytes from the network, fed with what nobody would send: ``make fuzz``, and a short slice in ``make test``."""
