"""From facts to one word: findings, gates and the judge. Pure: no socket, no clock, no database."""
