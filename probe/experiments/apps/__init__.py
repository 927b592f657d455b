"""The apps themselves: what they speak, spoken. ``table`` says who speaks which scheme, ``walk`` is their baseline."""
