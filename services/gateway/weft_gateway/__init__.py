"""The edge for people: sign-in, API keys, directory, live feed."""
