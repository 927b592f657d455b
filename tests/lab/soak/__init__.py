"""What the daemon costs its host: a day of skipped time and a real hour, both against the lab, sampled from outside."""
