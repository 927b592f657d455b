"""What people and programs read: the terminal, JSON, CSV. Nothing is measured or judged in here."""
