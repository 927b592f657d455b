"""ONE wire operation each, over the Wire that is passed in. No retry and no second address hides in here."""
